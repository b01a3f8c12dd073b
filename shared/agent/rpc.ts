// What an agent's Durable Objects offer to its Worker and to each other, and what travels between them.
import type { TaskState } from "@a2a-js/sdk";
import type * as z from "zod";
import type { TaskRef } from "../a2a/task-id.ts";
import type { CopyThread, ListTurns, SessionsPage } from "../control-plane/sessions.ts";
import type { Caller } from "./caller.ts";

/** One per caller and session: its threads, their tasks and their turns. */
export interface SessionRpc extends Rpc.DurableObjectBranded {
  /** Carries out one unary A2A operation. */
  call(operation: Operation, caller: Caller): Promise<Reply>;
  /** Carries out one streaming A2A operation: Server-Sent Events in the form of its binding, or the error that kept it from beginning. */
  stream(operation: Operation, caller: Caller): Promise<Streamed>;
  /** Resumes open tasks. The session reports those of `held` that have ended to the index. */
  wake(held: readonly TaskRef[]): Promise<void>;
  /** Resumes open tasks. Resolves when nothing is at work any more. Rejects when the object ends. */
  work(): Promise<void>;
  /** A page of turns, for whoever deployed the job: a TurnsPage as JSON. */
  turns(query: z.output<typeof ListTurns>): Promise<string>;
  /** How many turns a thread has. */
  length(contextId: string): Promise<number>;
  /** The entries of those turns of a thread that have ended: of the first `turns` that one call can carry. */
  entries(contextId: string, turns: readonly number[]): Promise<SomeEntries>;
  /** Adds entries of the thread `from`, of any session, as the next turns of the thread `to`. */
  copy(from: string, to: string, entries: readonly SessionEntry[]): Promise<void>;
  /** Tells the model which threads at other agents have no copy, and the index of the turns. Resolves to their number. */
  endCopy(contextId: string, lost: CopyThread["lost"]): Promise<number>;
  /**
   * Cancels what runs, and deletes everything. The object ends with that: the call rejects with DELETED. With `unusedSince`, in
   * milliseconds since the epoch, a session does nothing that has changed after that, or has an open turn.
   */
  delete(unusedSince?: number): Promise<void>;
}

/** The end of an object whose session was deleted. */
export const DELETED = "The session was deleted.";

export interface SomeEntries {
  readonly entries: SessionEntry[];
  /** How many of the turns that were asked for are done with. */
  readonly done: number;
}

/** An entry of a session's log, as its table has it. */
export interface SessionEntry {
  readonly id: number;
  /** The entry that begins its task. */
  readonly task: number;
  readonly state: number | null;
  readonly at: number | null;
  readonly worked_ms: number | null;
  readonly message_id: string | null;
  readonly body: string;
}

/** One per agent: the list of its tasks over all sessions. */
export interface SessionIndexRpc extends Rpc.DurableObjectBranded {
  /** Writes what the Sessions of one isolate have reported, in one transaction. */
  record(tasks: readonly IndexedTask[]): Promise<void>;
  /** Wakes the sessions that hold open tasks. */
  wakeSessions(): Promise<void>;
  /** One page of a principal's tasks, or why the request makes no sense. `request` is a ListTasksRequest as ProtoJSON. */
  list(principal: string, request: unknown): Promise<{ page: Page<Listed> } | { malformed: string }>;
  /** A page of a principal's sessions, those that changed last first. Undefined for a token that it did not give out. */
  sessions(principal: string, pageToken: string): Promise<SessionsPage | undefined>;
  /** Forgets the tasks of a session. Resolves to their number. */
  forget(principal: string, session: string): Promise<number>;
}

/** One per agent: its registration, its heartbeat and the spans that could not be delivered. */
export interface BeaconRpc extends Rpc.DurableObjectBranded {
  /** Registers the agent unless that is done. Resolves to whether the registry knows it. */
  wake(traceparent: string | null): Promise<boolean>;
  /** Keeps an OTLP request until the trace store takes it, over restarts too. */
  keepSpans(request: Uint8Array): Promise<void>;
}

export type Binding = "JSONRPC" | "HTTP+JSON";

/** One A2A operation in its JSON-RPC form, whichever binding it came by. */
export interface Operation {
  readonly binding: Binding;
  /** JSON-RPC request id; null for HTTP+JSON. */
  readonly id: string | number | null;
  /** A2A method name, e.g. `SendMessage`. */
  readonly method: string;
  /** Its name in A2A 0.3, whose params and results it has; undefined for an operation of 1.0. */
  readonly legacy?: string | undefined;
  readonly params: Record<string, unknown>;
}

export function isStreaming(method: string): boolean {
  return method === "SendStreamingMessage" || method === "SubscribeToTask";
}

/** The response to an operation in the form of its binding: text, because it crosses from the Session to the front door. */
export interface Reply {
  readonly status: number;
  /** Beside the content type. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly body: string;
}

/** A stream that has begun, or the reply that stands instead of one. */
export type Streamed = { readonly stream: ReadableStream<Uint8Array> } | { readonly reply: Reply };

/** A task as lists of tasks sort and filter it. */
export interface Listed {
  readonly contextId: string;
  readonly n: number;
  readonly state: TaskState;
  readonly updatedAt: number;
}

export interface Page<Row> {
  readonly tasks: Row[];
  readonly nextPageToken: string;
  readonly pageSize: number;
  readonly totalSize: number;
}

export interface IndexedTask extends Listed {
  readonly principal: string;
  /** It was answered by a bare message, so no list shows it. */
  readonly isHidden?: boolean;
}
