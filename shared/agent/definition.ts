// What an agent is, independent of where and in which job it runs.
import type { ToolUnion } from "@anthropic-ai/sdk/resources/messages/messages";
import type { CanUseTool } from "../loop/tools/can-use-tool.ts";
import type { Hooks } from "../loop/hooks/matcher.ts";
import type { Tool } from "../loop/tools/tool.ts";
import type { AgentConfig } from "./config.ts";
import type { AgentEnv } from "./env.ts";
import * as z from "zod";

/** A skill of the A2A card (A2A 1.0, section 4.4.5). */
export interface Skill {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly examples: readonly string[];
}

export interface AgentDefinition {
  readonly name: string;
  readonly description: string;
  /** Semantic version of the agent; 1.0.0 when left out. */
  readonly version?: string;
  /** The system prompt. */
  readonly instructions: string;
  readonly skills: readonly Skill[];
  /** What the agent's own settings have to be (`config` of the job file); tools get them as it parses them. Any, when left out. */
  readonly config?: z.ZodType<Record<string, unknown>>;
  /** A function when the tools depend on the deployment's config or bindings. */
  readonly tools: readonly Tool[] | ((config: AgentConfig) => readonly Tool[]);
  /** Tools that the model's API runs itself, such as Claude's web search. */
  readonly serverTools?: (config: AgentConfig) => readonly ToolUnion[];
  readonly hooks?: Hooks;
  /** Decides about tools that no rule of the job names; without it a person is asked. */
  readonly canUseTool?: CanUseTool;
  /** What the answer has to be: it is checked, the model is told what does not fit, and it is delivered as a data part. */
  readonly outputSchema?: z.ZodType;
  /** Answers paths that the front door does not know; undefined lets it answer 404. Authenticates for itself. */
  readonly routes?: (request: Request, env: AgentEnv) => Promise<Response | undefined>;
}

/** The agent's own settings as its tools get them. Throws ZodError for what does not fit. */
export function parsedConfig(
  { config: wanted }: Pick<AgentDefinition, "config">,
  { config }: Pick<AgentConfig, "config">,
): AgentConfig["config"] {
  return wanted === undefined ? config : z.record(z.string(), z.unknown()).parse(wanted.parse(config));
}
