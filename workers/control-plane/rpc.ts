// What the control plane's Durable Objects offer to its Worker and to each other.
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
import type { SpanBatch } from "./traces/span-record.ts";

/** One per job: its agents. */
export interface RegistryRpc extends Rpc.DurableObjectBranded {
  register(registration: Registration, parent?: TraceContext): Promise<Receipt | "full">;
  heartbeat(id: string): Promise<Found<Renewal>>;
  remove(id: string): Found<null>;
  list(): Agent[];
  page(query: AgentQuery): AgentPage;
  get(id: string): Found<Agent>;
  search(query: SearchQuery): FoundAgent[];
}

/** A share of one job's accounts, by query. */
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

/** A share of one job's traces, by trace id. */
export interface TracesRpc extends Rpc.DurableObjectBranded {
  store(batch: SpanBatch): Promise<{ count: number; reasons: readonly string[] }>;
  closeOpen(lost: LostAgent): Promise<number>;
  list(query: ListQuery): TraceSummary[];
  page(traceId: string, query: PageQuery): string | undefined;
  otlp(traceId: string, query: PageQuery): string | undefined;
  remove(traceId: string): boolean;
  removeBefore(us: number): Promise<number>;
  size(): number;
  oldest(bytes: number, force: boolean): Weighed[];
  prune(untilUs: number, force: boolean): Promise<number>;
}

/** What an operation on one agent found; `nearest` is the id that was probably meant. */
export type Found<Value> = { found: true; value: Value } | { found: false; nearest: string | undefined };

/** Whether there is such an account, and such a call in it. */
export type Booked = "booked" | "unknown-query" | "unknown-call";

/** `released`: it was given up, so it is not granted any more. */
export type ReserveResult = ReserveAnswer | { readonly released: true };

/** Which spans are closed, and how. */
export interface LostAgent extends OpenQuery {
  /** The last moment known of the agent, in ms since the epoch. */
  readonly at: number;
  /** What has become of it, as the end of a sentence. */
  readonly reason: string;
}

/** A trace that may go. */
export interface Weighed {
  readonly startUs: number;
  /** On disk, about. */
  readonly bytes: number;
}

/** Which open spans are meant: an agent's, but for those of its instance `keepInstance`; of one trace, begun by then, if it is named. */
export interface OpenQuery {
  readonly agent: string;
  readonly keepInstance?: string | undefined;
  readonly traceId?: string;
  readonly untilUs?: number;
}
