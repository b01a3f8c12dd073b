// An agent's own settings: `config` of the job file, held against what the agent's definition says they are.
import * as z from "zod";
import type { AgentConfig } from "./config.ts";
import type { AgentDefinition } from "./definition.ts";

/** The agent's own settings as its tools get them. Throws ZodError for what does not fit. */
export function parsedConfig(
  { config: wanted }: Pick<AgentDefinition, "config">,
  { config }: Pick<AgentConfig, "config">,
): AgentConfig["config"] {
  return wanted === undefined ? config : z.record(z.string(), z.unknown()).parse(wanted.parse(config));
}
