// Wire format of the registry's HTTP API. Types, checks and the OpenAPI document derive from these schemas.
import * as z from "zod";
import { CARD_FIELDS, MAX_SKILLS, SKILL_FIELDS } from "../a2a/card-fields.ts";

/** Heartbeat intervals in a lease. */
const LEASE_INTERVALS = 3;

/** The lease of an agent with this heartbeat interval, both in milliseconds. */
export function leaseMs(intervalMs: number): number {
  return LEASE_INTERVALS * intervalMs;
}

/** Heartbeat intervals that the registry accepts, in milliseconds. */
export const MIN_HEARTBEAT_MS = 100;
export const MAX_HEARTBEAT_MS = 3_600_000;

export const AgentId = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, "must begin with a-z and hold only a-z, 0-9 and _, at most 63 characters");

const AgentSkill = z.object({
  ...SKILL_FIELDS,
  tags: SKILL_FIELDS.tags.default([]),
  examples: SKILL_FIELDS.examples.default([]),
});

/** The base URL of an agent: `<url>/health` must answer. */
const AgentUrl = z
  .url({ protocol: /^https?$/, error: "must be an http or https URL" })
  .max(2000)
  .refine(isPlain, "must have no user name, password, query or fragment")
  .transform((url) => url.replace(/\/+$/, ""));

export const AgentCard = z.object({
  ...CARD_FIELDS,
  url: AgentUrl,
  skills: z.array(AgentSkill).max(MAX_SKILLS),
});

export const Registration = z.object({
  id: AgentId,
  ...AgentCard.shape,
  intervalMs: z
    .int()
    .min(MIN_HEARTBEAT_MS)
    .max(MAX_HEARTBEAT_MS)
    .meta({ description: "Time between heartbeats in milliseconds. The lease is three times as long." }),
  instance: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .meta({ description: "`service.instance.id` of the agent's spans. A new one closes what its last one left open." }),
});

/** A job has at most 1,000 agents; agents of earlier releases may still be listed as dead. */
export const MAX_REGISTERED = 2_000;

export const AgentState = z.enum(["alive", "suspect", "dead"]);

export const Receipt = z.object({ id: AgentId, state: AgentState, intervalMs: z.int(), leaseMs: z.int() });

export const Renewal = z.object({ state: AgentState, leaseMs: z.int() });

export const Agent = z.object({
  id: AgentId,
  ...AgentCard.shape,
  url: z.string(),
  state: AgentState,
  lastHeartbeat: z.iso.datetime(),
  registeredAt: z.iso.datetime(),
  intervalMs: z.int(),
});

export const FoundAgent = Agent.extend({
  score: z.number().meta({ description: "How well `q` fits, higher is better; 0 without `q`." }),
});

export const AgentPage = z.object({
  agents: z.array(Agent),
  next: AgentId.optional().meta({ description: "There are more: ask again with this as `after`." }),
});
export const FoundAgentList = z.object({ agents: z.array(FoundAgent) });

export const PageQuery = z.object({
  after: z.string().max(63).default("").meta({ description: "Only agents whose id comes after this one." }),
  limit: z.coerce.number().int().min(1).max(1000).default(1000),
});

export const SearchQuery = z.object({
  skill: z.string().max(200).optional().meta({ description: "Id or name of a skill, upper or lower case." }),
  tag: z.string().max(100).optional().meta({ description: "A skill's tag, upper or lower case." }),
  q: z
    .string()
    .max(2000)
    .optional()
    .meta({ description: "Words to find in names, descriptions, skills, tags and examples." }),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});

export type AgentCard = z.output<typeof AgentCard>;
export type AgentState = z.output<typeof AgentState>;
export type Registration = z.output<typeof Registration>;
export type Receipt = z.output<typeof Receipt>;
export type Renewal = z.output<typeof Renewal>;
export type Agent = z.output<typeof Agent>;
export type FoundAgent = z.output<typeof FoundAgent>;
export type AgentPage = z.output<typeof AgentPage>;
export type PageQuery = z.output<typeof PageQuery>;
export type SearchQuery = z.output<typeof SearchQuery>;

function isPlain(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && url.username === "" && url.password === "" && !/[?#]/.test(value);
}
