// What a deployment tells one agent: the `AGENT` binding, made by jobs/plan.ts and parsed when the Worker starts.
// Names only: URLs of peers are resolved by bindings or the registry and never reach a model.
import * as z from "zod";
import { CONTENT_POLICIES } from "../tracing/content.ts";
import { Price } from "../tracing/price.ts";

const ModelConfig = z.object({
  provider: z.enum(["offline", "anthropic"]),
  /** Model name sent in each request, e.g. `claude-sonnet-5-5` or `offline`. */
  name: z.string(),
  /** Upper bound of one answer, in tokens. */
  maxTokens: z.int().positive(),
  /** Origin of the Messages API. */
  baseUrl: z.url(),
  /** Left out where it is not known. */
  price: z.optional(Price),
  /** How the offline model behaves; ignored by other providers. */
  offline: z.optional(
    z.object({
      ttftMs: z.number().nonnegative(),
      tokensPerSecond: z.number().nonnegative(),
      fault: z.nullable(z.string()),
    }),
  ),
});

export const AgentConfig = z.object({
  job: z.string(),
  id: z.string(),
  /** What the job calls this agent, over what it calls itself. */
  name: z.optional(z.string()),
  description: z.optional(z.string()),
  /** Public origin of this agent, without a trailing slash; goes into its card and the registry. */
  url: z.url(),
  model: ModelConfig,
  permissions: z.object({
    /** Tool names that may run; null allows every tool of the agent. */
    allow: z.nullable(z.array(z.string())),
    /** Tool names that are taken away. Wins over allow. */
    deny: z.array(z.string()),
  }),
  budget: z.object({ maxTurns: z.int().positive(), maxWallMs: z.int().positive() }),
  /** static: only `peers` can be asked. dynamic: whom find_agents returned. */
  topology: z.enum(["static", "dynamic"]),
  peers: z.array(z.object({ id: z.string(), binding: z.string() })),
  tracing: z.object({
    enabled: z.boolean(),
    /** What is recorded of prompts, answers, tool inputs and results. */
    content: z.enum(CONTENT_POLICIES),
  }),
  /** Names of the variables whose values are secret. */
  secrets: z.array(z.string()),
  heartbeat: z.object({ intervalMs: z.int().positive() }),
  /** The agent's own settings, as written in the job file. */
  config: z.record(z.string(), z.unknown()),
});

export type AgentConfig = z.infer<typeof AgentConfig>;
export type ModelConfig = z.infer<typeof ModelConfig>;
