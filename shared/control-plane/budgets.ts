// Wire format of the accounts' HTTP API. Types, checks and the OpenAPI document derive from these schemas.
import * as z from "zod";
import { Limits } from "../budget/limits.ts";
import { AgentShare, Exhaustion } from "../budget/exhaustion.ts";
import { Price } from "../budget/price.ts";
import { Usage } from "../budget/usage.ts";

/** The longest that a call waits for others to settle. */
const MAX_WAIT_MS = 20_000;

export const QueryId = z.string().min(1).max(300).meta({ description: "Chosen by the agent that takes the question." });
const Name = z.string().min(1).max(200);
const Id = z.string().min(1).max(2000).meta({ description: "Unique within the query; the same id is the same call." });
const Tokens = z.int().nonnegative().max(1_000_000_000);
/** A price whose costs can be summed exactly. */
const WirePrice = Price.refine((price) => Object.values(price).every((usd) => (usd ?? 0) <= 100_000), {
  error: "a price is at most 100000 dollars per million",
}).optional();

const Life = z
  .int()
  .nonnegative()
  .meta({ description: "How often the task was begun again; ends what its former lives left open." });

const Call = z.strictObject({
  query: QueryId,
  limits: Limits.meta({ description: "Those of the first call of a query count." }),
  agent: Name,
  task: Id,
  id: Id,
});

export const Reserve = Call.extend({
  life: Life,
  inputTokens: Tokens,
  maxTokens: Tokens.min(1),
  price: WirePrice.meta({ description: "Needed where dollars are limited." }),
  webSearches: z
    .int()
    .nonnegative()
    .max(1000)
    .optional()
    .meta({ description: "Searches that the API may make itself." }),
  waitMs: z.int().nonnegative().max(MAX_WAIT_MS).default(MAX_WAIT_MS),
}).refine(({ limits, price }) => limits.maxUsd === undefined || price !== undefined, {
  path: ["price"],
  error: "where dollars are limited, the price of the model is needed: give model.price in the job file",
});
export type Reserve = z.output<typeof Reserve>;

/** `wait`: open calls may leave enough once they settle; ask again under the same id. */
export const ReserveAnswer = z.union([
  z.object({ granted: z.object({ maxTokens: z.int().positive() }) }),
  z.object({ exhausted: Exhaustion }),
  z.object({ wait: z.literal(true) }),
]);
export type ReserveAnswer = z.output<typeof ReserveAnswer>;

export const ToolCalls = Call.extend({ count: z.int().positive().max(100_000) });
export type ToolCalls = z.output<typeof ToolCalls>;

export const ToolCallsAnswer = z.union([z.object({ ok: z.literal(true) }), z.object({ exhausted: Exhaustion })]);
export type ToolCallsAnswer = z.output<typeof ToolCallsAnswer>;

/** The whole query's time is over. Sent by the agent that took the question. */
export const TimeUp = z.strictObject({
  query: QueryId,
  limits: Limits,
  spentMs: z.number().nonnegative().meta({ description: "Milliseconds of work, waiting for approvals aside." }),
});
export type TimeUp = z.output<typeof TimeUp>;

export const TimeUpAnswer = z.object({ exhausted: Exhaustion });
export type TimeUpAnswer = z.output<typeof TimeUpAnswer>;

export const Settle = z.strictObject({
  query: QueryId,
  id: Id,
  usage: Usage.extend({
    inputTokens: Tokens,
    outputTokens: Tokens,
    cacheReadTokens: Tokens,
    cacheWriteTokens: Tokens,
    webSearches: Tokens.optional(),
  }),
  price: WirePrice,
});
export type Settle = z.output<typeof Settle>;

/** Names a reserved call, to cut or release it. */
export const Reserved = z.strictObject({ query: QueryId, id: Id });
export type Reserved = z.output<typeof Reserved>;

/** A task that a new life resumed: calls of earlier lives broke off. */
export const TaskLife = z.strictObject({ query: QueryId, agent: Name, task: Id, life: Life });
export type TaskLife = z.output<typeof TaskLife>;

const Amounts = AgentShare.omit({ agent: true });

/** A query's account. Dollars are exact to the last decimal of the prices. */
export const QueryAccount = z.object({
  query: z.string(),
  limits: Limits,
  openedAt: z.iso.datetime(),
  exhausted: z.nullable(Exhaustion),
  spent: Amounts,
  byAgent: z.array(AgentShare),
  /** settled: really used. open: set aside for open calls. cut: set aside for calls that broke off. */
  states: z.object({ settled: Amounts, open: Amounts, cut: Amounts }),
  /** Calls that wait for others to settle. */
  waiting: z.int(),
});
export type QueryAccount = z.output<typeof QueryAccount>;
