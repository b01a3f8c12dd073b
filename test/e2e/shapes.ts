// What the CLI prints as JSON, as far as these tests read it.
import * as z from "zod";

import { BreakerStatus } from "#shared/resilience/breaker.ts";

const Process = z.object({
  name: z.string(),
  place: z.optional(z.string()),
  pid: z.nullable(z.int()),
  state: z.string(),
  supervised: z.boolean(),
  restarts: z.int(),
  lastEnd: z.nullable(z.object({ at: z.iso.datetime(), reason: z.string() })),
});

export const Status = z.object({
  job: z.string(),
  target: z.enum(["local", "hosts", "cloudflare"]),
  pid: z.nullable(z.int()),
  state: z.string(),
  processes: z.array(Process),
  shared: z.array(Process),
  agents: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      place: z.optional(z.string()),
      url: z.url(),
      state: z.string(),
      lastHeartbeat: z.nullable(z.iso.datetime()),
      pid: z.nullable(z.int()),
      breakers: z.array(BreakerStatus),
      turns: z.nullable(z.object({ limit: z.int(), running: z.int(), waiting: z.int() })),
    }),
  ),
});

export const Answer = z.object({
  answer: z.string(),
  contextId: z.string().min(1),
  taskId: z.string().min(1),
  state: z.string(),
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  usage: z.object({ inputTokens: z.number(), outputTokens: z.number() }),
  durationMs: z.number(),
});

/** A job of the four agents; `fields` is YAML for the rest of the file. */
export function fourAgents(name: string, fields: string): string {
  return `name: ${name}
agents:
  - id: coordinator
  - id: searcher
  - id: summarizer
  - id: fact_checker
heartbeat: { interval: 500ms }
${fields}
`;
}

/** A line of a job file: what is killed stays dead. */
export const NEVER = "deployment: { restart: never }";

export const HUB_SPOKE =
  "topology: { type: hub-spoke, hub: coordinator, spokes: [searcher, summarizer, fact_checker] }";
