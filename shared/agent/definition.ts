// The definition of an agent, independent of the job in which it runs.
import type { ToolUnion } from "@anthropic-ai/sdk/resources/messages/messages";
import type { CanUseTool } from "../loop/tools/can-use-tool.ts";
import type { Hooks } from "../loop/hooks/matcher.ts";
import type { Tool } from "../loop/tools/tool.ts";
import type { AgentConfig } from "./config.ts";
import type { RunCode } from "./code-agent.ts";
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

/** An agent answers with a model (`instructions`) or with its own code (`run`). */
export type AgentDefinition = Definition & (WithModel | WithCode);

interface WithModel {
  /** The system prompt. */
  readonly instructions: string;
  readonly run?: undefined;
}

interface WithCode {
  /** Answers a message. */
  readonly run: RunCode;
  readonly instructions?: undefined;
}

interface Definition {
  readonly name: string;
  readonly description: string;
  /** Semantic version of the agent; 1.0.0 when left out. */
  readonly version?: string;
  readonly skills: readonly Skill[];
  /** Media types that the agent takes; those of text when left out. An agent with `run` gets files as they are. */
  readonly inputModes?: readonly string[];
  /** Media types of its answers. */
  readonly outputModes?: readonly string[];
  /** Schema of the agent's own settings (`config` of the job file). Tools get them parsed. Any settings when left out. */
  readonly config?: z.ZodType<Record<string, unknown>>;
  /** A function when the tools depend on the deployment's config or bindings. */
  readonly tools: readonly Tool[] | ((config: AgentConfig) => readonly Tool[]);
  /** Tools that the model's API runs itself, such as Claude's web search. */
  readonly serverTools?: (config: AgentConfig) => readonly ToolUnion[];
  readonly hooks?: Hooks;
  /** Decides about tools that no rule of the job names. A person is asked when left out. */
  readonly canUseTool?: CanUseTool;
  /** Schema of the answer. It is checked, the model learns what does not fit, and it is delivered as a data part. */
  readonly outputSchema?: z.ZodType;
  /**
   * Answers paths that the front door does not know; resolves to undefined for a 404. Has to authenticate requests itself: `sender` is the
   * agent or the command line that has signed the request, if one has.
   */
  readonly routes?: (request: Request, env: AgentEnv, sender: string | undefined) => Promise<Response | undefined>;
}

/** The agent's own settings, parsed. Throws ZodError for settings that do not fit. */
export function parsedConfig(
  { config: wanted }: Pick<AgentDefinition, "config">,
  { config }: Pick<AgentConfig, "config">,
): AgentConfig["config"] {
  return wanted === undefined ? config : z.record(z.string(), z.unknown()).parse(wanted.parse(config));
}
