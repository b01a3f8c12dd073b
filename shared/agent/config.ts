// The config of one agent in a deployment: the binding `AGENT`, made by jobs/plan/plan.ts and parsed when the Worker starts. It names
// peers; their URLs come from bindings or the registry and never reach a model.
import * as z from "zod";
import { ApprovalRule } from "../loop/log/approval.ts";
import { Limits } from "../budget/limits.ts";
import { RemoteCard } from "../a2a/remote/card.ts";
import { Permissions } from "../loop/tools/permissions.ts";
import { CONTENT_POLICIES } from "../tracing/content.ts";
import { Price } from "../budget/price.ts";
import { parseJson } from "../text/parse-json.ts";

const ModelConfig = z.object({
  provider: z.enum(["offline", "anthropic"]),
  /** Model name sent in each request, e.g. `claude-sonnet-5-5` or `offline`. */
  name: z.string(),
  /** Upper bound of one answer, in tokens. */
  maxTokens: z.int().positive(),
  /** Tokens that a request and its answer may have together. */
  contextTokens: z.int().positive(),
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

/** An agent of others. */
const RemotePeer = z.object({
  /** The card's address. Requests go to its origin alone. */
  card: z.string(),
  /** What the card said at the deployment. */
  said: z.optional(RemoteCard),
  /** The variable that holds the bearer token for it. */
  token: z.optional(z.string()),
});
export type RemotePeer = z.infer<typeof RemotePeer>;

export const AgentConfig = z.object({
  job: z.string(),
  id: z.string(),
  /** The job's name for the agent; the definition's own when left out. */
  name: z.optional(z.string()),
  description: z.optional(z.string()),
  /** Public origin of this agent, without a trailing slash; goes into its card and the registry. */
  url: z.url(),
  /** Where people reach it over HTTPS, if it has such an address: an origin, and behind a route of Cloudflare perhaps a path. */
  publicUrl: z.optional(z.url()),
  model: ModelConfig,
  permissions: Permissions,
  approvals: z.object({
    /** Milliseconds until an approval without an answer expires. */
    expiresMs: z.int().positive(),
    /** The job's own answers for this agent's tools. The first match counts. */
    policy: z.array(ApprovalRule),
  }),
  /** What one message may cost this agent, without the agents that it asks. */
  budget: Limits.extend({ maxTurns: z.int().positive(), maxWallMs: z.int().positive() }),
  /** What one query may cost over all agents; null where the job sets no limit. */
  queryBudget: z.nullable(Limits),
  /** Turns that work at the same time. Others wait. */
  turnsAtOnce: z.int().positive(),
  /** static: only `peers` can be asked. dynamic: the agents that find_agents returned, of which `peers` are the remote ones. */
  topology: z.enum(["static", "dynamic"]),
  /** `key` signs the peer's card; absent in older releases. */
  peers: z.array(
    z.object({ id: z.string(), binding: z.string(), key: z.optional(z.string()), remote: z.optional(RemotePeer) }),
  ),
  /** Whether a person needs a key. */
  accounts: z.enum(["optional", "required"]),
  /** Whose tokens count: agents that may ask this one, the command line, and the agent itself. */
  callers: z.array(z.object({ id: z.string(), key: z.string() })),
  tracing: z.object({
    enabled: z.boolean(),
    /** What is recorded of prompts, answers, tool inputs and results. */
    content: z.enum(CONTENT_POLICIES),
  }),
  /** Origins beside public ones that push notifications may go to; each has a binding. */
  pushAllow: z.array(z.string()).default([]),
  /** A session without a turn for so long is deleted; never when left out. */
  sessionExpireMs: z.optional(z.int().positive()),
  /** Names of the variables whose values are secret. */
  secrets: z.array(z.string()),
  /** Origins of web pages that may call the agent. */
  cors: z.array(z.string()).default([]),
  heartbeat: z.object({ intervalMs: z.int().positive() }),
  /** The agent's own settings, as written in the job file. */
  config: z.record(z.string(), z.unknown()),
});

export type AgentConfig = z.infer<typeof AgentConfig>;

/** Holds a part of the config's JSON, where one variable is too small for it: `AGENT_1`, `AGENT_2` and so on. */
export function configPart(n: number): string {
  return `AGENT_${n}`;
}

export function isConfigPart(name: string): boolean {
  return /^AGENT_\d+$/.test(name);
}

/** The config in an agent's variables, not checked yet; undefined where there is none. */
export function configIn(env: object): unknown {
  const whole: unknown = Reflect.get(env, "AGENT");
  if (whole !== undefined) return whole;
  const parts: string[] = [];
  for (;;) {
    const part: unknown = Reflect.get(env, configPart(parts.length + 1));
    if (typeof part !== "string") return parseJson(parts.join(""));
    parts.push(part);
  }
}
export type ModelConfig = z.infer<typeof ModelConfig>;
