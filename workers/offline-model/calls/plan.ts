// Decides which tools to call next. Rules run in a fixed order, each at most once a turn (as the transcript shows), so
// a turn ends.
import { bestSentences } from "#shared/retrieval/cite.ts";
import { formatPassages, type Passage } from "#shared/retrieval/passages.ts";
import { questionTerms, tokenize } from "#shared/retrieval/tokens.ts";
import { fillArguments, firstUrl, hasForms, missingArguments, type Facts } from "./arguments.ts";
import { ROLES, closestPeer, type Peer } from "../reading/peers.ts";
import { callTo, callsOf, usablePassages, type Task } from "../reading/task.ts";
import { delegateProperties, type KnownTool, type ToolKind } from "../reading/tools.ts";

export interface WantedCall {
  readonly name: string;
  readonly input: Record<string, unknown>;
}

type Rule = (task: Task) => WantedCall[];

/** A last resort: the rules end well before. */
const MOST_ROUNDS = 8;
const MOST_PASSAGES = 8;
const MOST_CLAIMS = 2;
/** Characters of a passage that are passed on. */
const PASSAGE_LIMIT = 6_000;
/** With less text, the pages behind the passages are read. */
const THIN_CHARS = 600;
/** Finds agents of every role at once. If it does not, all agents are listed. */
const WANTED_AGENTS = "search sources, summarize text, check facts";

/** The calls to make now, in parallel; empty when it is time to answer. */
export function nextCalls(task: Task): WantedCall[] {
  if (task.transcript.current.rounds >= MOST_ROUNDS) return [];
  const rules: readonly Rule[] = [useFittingTool, discover, discoverMore, gather, readPages, examine];
  for (const rule of rules) {
    const calls = rule(task);
    if (calls.length > 0) return calls;
  }
  return [];
}

/** A call of the tool, with arguments filled from what the task knows. */
export function plan(task: Task, tool: KnownTool, more: Partial<Facts> = {}): WantedCall {
  return { name: tool.name, input: fillArguments(tool.schema, factsOf(task, more)) };
}

function factsOf(task: Task, more: Partial<Facts> = {}): Facts {
  const text = textOf(task);
  return { question: task.question, ...(text === "" ? {} : { text, evidence: text }), ...more };
}

const texts = new WeakMap<Task, string>();

/** The usable passages as text. Written once a task. */
function textOf(task: Task): string {
  let text = texts.get(task);
  if (text === undefined) texts.set(task, (text = bundle(usablePassages(task))));
  return text;
}

/** The agent's own tools that match the question, best first. */
function fittingTools(task: Task): KnownTool[] {
  const others = task.tools.filter(({ kind }) => kind === "other");
  if (others.length === 0) return [];
  const asked = new Set(questionTerms(task.question));
  const alone = others.length === task.tools.length;
  const needed = alone ? (others.length === 1 ? 0 : 1) : 2;
  return others
    .map((tool) => ({
      tool,
      shared: new Set(
        tokenize(`${tool.name.replaceAll(/[_-]/g, " ")} ${tool.description}`).filter((token) => asked.has(token)),
      ).size,
    }))
    .filter(({ shared }) => shared >= needed)
    .toSorted((a, b) => b.shared - a.shared)
    .map(({ tool }) => tool);
}

/** The tool that fits but lacks values, with their names; undefined when a tool can be called or none fits. */
export function lackingTool(task: Task): { readonly name: string; readonly missing: readonly string[] } | undefined {
  const [tool] = callsOf(task, "other").length > 0 ? [] : fittingTools(task);
  const missing = tool === undefined ? [] : missingArguments(tool.schema, factsOf(task));
  return tool === undefined || missing.length === 0 ? undefined : { name: tool.name, missing };
}

const useFittingTool: Rule = (task) => {
  if (callsOf(task, "other").length > 0) return [];
  const fitting = fittingTools(task);
  if (fitting.length === 0) return [];
  const facts = factsOf(task);
  const ready = fitting.filter(
    (tool) => missingArguments(tool.schema, facts).length === 0 && hasForms(tool.schema, plan(task, tool).input),
  );
  return ready.slice(0, 1).map((tool) => plan(task, tool));
};

const discover: Rule = (task) => {
  const tool = one(task, "discover");
  if (tool === undefined || one(task, "delegate") === undefined || callsOf(task, "discover").length > 0) return [];
  // Known agents without a role are chosen by words: listing them again tells nothing new.
  const areKnown = task.peers.length > 0 && task.peers.every(({ text }) => text !== "");
  if (areKnown && Object.keys(task.roles).length === 0) return [];
  return [plan(task, tool, { question: WANTED_AGENTS })];
};

/** Lists all agents when the first query left a role open. */
const discoverMore: Rule = (task) => {
  const tool = one(task, "discover");
  if (tool === undefined || one(task, "delegate") === undefined || callsOf(task, "discover").length !== 1) return [];
  const complete = ROLES.every((role) => task.roles[role] !== undefined);
  return complete || callsOf(task, "delegate").length > 0 ? [] : [plan(task, tool, { question: "" })];
};

const gather: Rule = (task) => {
  const fetch = one(task, "fetch");
  const url = firstUrl(task.question);
  if (fetch !== undefined && url !== undefined && callsOf(task, "fetch").length === 0)
    return [plan(task, fetch, { url })];
  if (task.given.length > 0 || task.found.length > 0) return [];
  const search = one(task, "search");
  if (search !== undefined) return callsOf(task, "search").length === 0 ? [plan(task, search)] : [];
  const noRole = Object.keys(task.roles).length === 0;
  const peer = task.roles.search ?? (noRole ? closestPeer(task.question, task.peers) : undefined);
  return askAgent(task, peer, task.question);
};

const readPages: Rule = (task) => {
  const tool = one(task, "fetch");
  if (tool === undefined || callsOf(task, "search").length === 0 || callsOf(task, "fetch").length > 0) return [];
  const passages = usablePassages(task);
  if (passages.reduce((sum, { text }) => sum + text.length, 0) >= THIN_CHARS) return [];
  const urls = new Set(passages.map(({ source }) => source).filter((source) => /^https?:\/\//.test(source)));
  return [...urls].slice(0, 2).map((url) => plan(task, tool, { url }));
};

/** Shortens and checks what was gathered, in parallel, with own tools or by asking agents. */
const examine: Rule = (task) => {
  const passages = usablePassages(task);
  const digest = one(task, "digest");
  const checks = task.tools.filter(({ kind }) => kind === "check");
  const text = passages.length > 0 ? textOf(task) : "No passages were found for this question.";
  const ask = (peer: Peer | undefined, request: string) =>
    askAgent(task, peer, `Question: ${task.question}\n\n${request}\n\n${text}`);
  return [
    ...(digest === undefined
      ? ask(task.roles.digest, "Summarise what these passages say about the question. Cite them as [n].")
      : passages.length > 0 && callsOf(task, "digest").length === 0
        ? [plan(task, digest)]
        : []),
    ...(checks.length === 0
      ? ask(task.roles.check, "Check the main claims of these passages against each other. Cite them as [n].")
      : callsOf(task, "check").length === 0
        ? claimsOf(task, passages).flatMap((claim) => checks.map((tool) => plan(task, tool, { claim })))
        : []),
  ];
};

/** The sentences to check: those that answer best. */
function claimsOf(task: Task, passages: readonly Passage[]): string[] {
  return bestSentences(task.question, passages.slice(0, MOST_PASSAGES), MOST_CLAIMS).map(({ text }) => text);
}

function askAgent(task: Task, peer: Peer | undefined, message: string): WantedCall[] {
  const tool = one(task, "delegate");
  if (tool === undefined || peer === undefined || callTo(task, peer) !== undefined) return [];
  const names = delegateProperties(tool);
  return [{ name: tool.name, input: { ...plan(task, tool).input, [names.agent]: peer.id, [names.message]: message } }];
}

function one(task: Task, kind: ToolKind): KnownTool | undefined {
  return task.tools.find((tool) => tool.kind === kind);
}

function bundle(passages: readonly Passage[]): string {
  return formatPassages(
    passages.slice(0, MOST_PASSAGES).map((passage) => ({ ...passage, text: passage.text.slice(0, PASSAGE_LIMIT) })),
  );
}
