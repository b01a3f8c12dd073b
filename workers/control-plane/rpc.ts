// RPC interfaces of the control plane's Durable Objects.
import type {
  QueryAccount,
  Reserve,
  ReserveAnswer,
  Reserved,
  Settle,
  TaskLife,
  TimeUp,
  TimeUpAnswer,
  ToolCalls,
  ToolCallsAnswer,
} from "#shared/control-plane/budgets.ts";
import type { Account, Key, NewKey } from "#shared/control-plane/keys.ts";
import type {
  Agent,
  AgentPage,
  FoundAgent,
  PageQuery as AgentQuery,
  Receipt,
  Registration,
  Renewal,
  SearchQuery,
} from "#shared/control-plane/registry.ts";
import type { ListQuery, PageQuery, TraceSummary } from "#shared/control-plane/traces.ts";
import type { TraceContext } from "#shared/tracing/trace-context.ts";
import type { SpanBatch } from "./traces/otlp/span-record.ts";

/** The agents of one job. One object a job. */
export interface RegistryRpc extends Rpc.DurableObjectBranded {
  register(registration: Registration, parent?: TraceContext): Promise<Receipt | "full">;
  heartbeat(id: string): Promise<Found<Renewal>>;
  remove(id: string): Found<null>;
  list(): Agent[];
  page(query: AgentQuery): AgentPage;
  get(id: string): Found<Agent>;
  search(query: SearchQuery): FoundAgent[];
}

/** The keys of one job. One object a job. */
export interface KeysRpc extends Rpc.DurableObjectBranded {
  create(hash: string, wanted: NewKey): Key | "taken" | "full";
  list(): Key[];
  revoke(name: string): boolean;
  check(hash: string): Account | undefined;
}

/** The accounts of one job's queries, sharded by query. */
export interface BudgetRpc extends Rpc.DurableObjectBranded {
  reserve(call: Reserve): Promise<ReserveResult>;
  settle(call: Settle): Booked;
  cut(call: Reserved): Booked;
  cutEarlierLives(current: TaskLife): void;
  release(call: Reserved): Booked;
  countToolCalls(calls: ToolCalls): ToolCallsAnswer;
  timeIsUp(time: TimeUp): TimeUpAnswer;
  account(query: string): QueryAccount | undefined;
}

/** The traces of one job, sharded by trace id. */
export interface TracesRpc extends Rpc.DurableObjectBranded {
  store(batch: SpanBatch): Promise<{ count: number; reasons: readonly string[] }>;
  closeOpen(lost: LostAgent): Promise<number>;
  list(query: ListQuery): Promise<TraceSummary[]>;
  page(traceId: string, query: PageQuery): Promise<string | undefined>;
  otlp(traceId: string, query: PageQuery): Promise<string | undefined>;
  remove(traceId: string): Promise<boolean>;
  removeBefore(us: number): Promise<number>;
  size(): number;
  oldest(bytes: number, force: boolean): PrunableTrace[];
  prune(untilUs: number, force: boolean): Promise<number>;
}

/** The result of an operation on one agent. `nearest` is the id that the caller probably meant. */
export type Found<Value> = { found: true; value: Value } | { found: false; nearest: string | undefined };

/** Whether the account and the call exist; without both, nothing is booked. */
export type Booked = "booked" | "unknown-query" | "unknown-call";

/** `released`: the call was canceled before it was granted, and never will be granted. */
export type ReserveResult = ReserveAnswer | { readonly released: true };

/** Which open spans to close, and how. */
export interface LostAgent extends OpenQuery {
  /** When the agent was last known to live, in ms since the epoch. */
  readonly at: number;
  /** What happened to the agent, as the end of a sentence. */
  readonly reason: string;
}

/** A trace that may be deleted. */
export interface PrunableTrace {
  readonly startUs: number;
  /** Approximate size on disk. */
  readonly bytes: number;
}

/**
 * Selects open spans of `agent`: without those of `keepInstance`; with `traceId`, only that trace's; with `untilUs`,
 * only those started by then.
 */
export interface OpenQuery {
  readonly agent: string;
  readonly keepInstance?: string | undefined;
  readonly traceId?: string;
  readonly untilUs?: number;
}
