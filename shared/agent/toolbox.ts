// The tools of an agent in its deployment: its own, and those that ask other agents. Built once an isolate, because making a JSON Schema
// costs more than a turn's own work.
import type { ToolUnion } from "@anthropic-ai/sdk/resources/messages/messages";
import type { Tool } from "../loop/tools/tool.ts";
import type { PeerProfile } from "../loop/tools/peers.ts";
import { outputShape, type OutputShape } from "../loop/ending/output-shape.ts";
import { toolsOfEveryAgent } from "../tools/of-every-agent.ts";
import { type AgentDefinition, parsedConfig } from "./definition.ts";
import type { AgentConfig } from "./config.ts";
import { configOf, type AgentEnv } from "./env.ts";
import { neighbours } from "./peers/neighbours.ts";

export interface Toolbox {
  /** The agent's own settings, parsed. */
  readonly config: AgentConfig["config"];
  readonly tools: readonly Tool[];
  readonly serverTools: readonly ToolUnion[];
  readonly output: OutputShape | undefined;
}

interface Built extends Toolbox {
  readonly of: readonly PeerProfile[] | undefined;
}

const built = new WeakMap<AgentEnv, Built>();

export async function toolbox(env: AgentEnv, definition: AgentDefinition): Promise<Toolbox> {
  const config = configOf(env);
  const peers = config.topology === "static" ? await neighbours(env) : undefined;
  const cached = built.get(env);
  if (cached && cached.of === peers) return cached;
  const parsed = parsedConfig(definition, config);
  const chosen = { ...config, config: parsed };
  const own = typeof definition.tools === "function" ? definition.tools(chosen) : definition.tools;
  const fresh = {
    of: peers,
    config: parsed,
    tools: [...own, ...toolsOfEveryAgent(peers)],
    serverTools: definition.serverTools?.(chosen) ?? [],
    output: definition.outputSchema && outputShape(definition.outputSchema),
  };
  built.set(env, fresh);
  return fresh;
}
