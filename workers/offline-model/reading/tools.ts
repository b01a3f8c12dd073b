// Finds the purpose of a tool from its schema and name. Knows no tool by name.
import type { ToolDefinition } from "../api/request.ts";

export type ToolKind =
  /** Lists agents. */
  | "discover"
  /** Sends a message to an agent. */
  | "delegate"
  /** Finds passages. */
  | "search"
  /** Reads one URL. */
  | "fetch"
  /** Compares a claim with text. */
  | "check"
  /** Shortens text. */
  | "digest"
  | "other";

export interface KnownTool {
  readonly name: string;
  readonly description: string;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly kind: ToolKind;
}

const AGENT = ["agent", "agent_id", "agent_name", "peer", "recipient", "assistant"];
const MESSAGE = ["message", "question", "request", "task", "prompt"];
const URL_NAMES = ["url", "uri", "link", "href"];
const CLAIM = ["claim", "statement", "assertion", "hypothesis"];
const QUERY = ["query", "q", "search", "keywords", "terms", "search_query", "question"];
const TEXT = ["text", "content", "document", "passages", "body", "article"];

const FINDS = /\b(?:find|discover|list|look up|search)\b/;
const AGENTS = /\b(?:agents?|peers?)\b/;

/** The callable tools, each with its kind. */
export function knownTools(tools: readonly ToolDefinition[]): KnownTool[] {
  return tools.flatMap((tool) => {
    if (tool.input_schema === undefined) return [];
    const schema = tool.input_schema;
    return [{ name: tool.name, description: tool.description ?? "", schema, kind: kindOf(tool, schema) }];
  });
}

function kindOf(tool: ToolDefinition, schema: Readonly<Record<string, unknown>>): ToolKind {
  const names = Object.keys(propertiesOf(schema)).map((name) => name.toLowerCase());
  const has = (candidates: readonly string[]) => names.some((name) => candidates.includes(name));
  const says = `${tool.name.replaceAll(/[_-]/g, " ")}. ${tool.description ?? ""}`.toLowerCase();

  if (has(AGENT) && has(MESSAGE)) return "delegate";
  if (names.length <= 3 && findsAgents(says)) return "discover";
  if (has(CLAIM)) return "check";
  if (has(URL_NAMES)) return "fetch";
  if (has(QUERY) && /\b(?:search|find|retrieve|look up|lookup)/.test(says)) return "search";
  if (has(TEXT) && /\b(?:summar|digest|condens|shorten|extract|key points?)/.test(says)) return "digest";
  return "other";
}

/** Whether a sentence says "find" and later "agents". */
function findsAgents(says: string): boolean {
  return says.split(".").some((sentence) => {
    const verb = FINDS.exec(sentence);
    return verb !== null && AGENTS.test(sentence.slice(verb.index + verb[0].length));
  });
}

/** The properties of a delegate tool for the agent and for the message. */
export function delegateProperties(tool: KnownTool): { agent: string; message: string } {
  const names = Object.keys(propertiesOf(tool.schema));
  const find = (candidates: readonly string[]) => names.find((name) => candidates.includes(name.toLowerCase()));
  return { agent: find(AGENT) ?? "agent", message: find(MESSAGE) ?? "message" };
}

export function propertiesOf(schema: Readonly<Record<string, unknown>>): Record<string, Record<string, unknown>> {
  const properties = asObject(schema["properties"]);
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, asObject(value)]));
}

/** `value` if it is an object, or else an empty one: a schema may hold anything. */
export function asObject(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
