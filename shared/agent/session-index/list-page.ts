// One page of a task list, newest change first (A2A 1.0, section 3.1.4). Pure, shared by the Session, which has its tasks in memory, and the
// SessionIndex, which has them in SQL.
import { fromBase64url, toBase64url } from "../../a2a/base64url.ts";
import { TaskState, type ListTasksRequest } from "@a2a-js/sdk";
import { RequestMalformedError } from "@a2a-js/sdk/errors";
import type { Listed, Page } from "../rpc.ts";

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 100;

/** What a ListTasksRequest asks for. */
export interface ListQuery {
  readonly pageSize: number;
  /** Undefined for any. */
  readonly state: TaskState | undefined;
  /** Milliseconds since the epoch: tasks that changed then or later. */
  readonly after: number;
  /** The last task of the page before. */
  readonly position: Position | undefined;
}

/** Throws RequestMalformedError for a request that makes no sense. */
export function listQuery(request: ListTasksRequest): ListQuery {
  const pageSize = request.pageSize ?? DEFAULT_PAGE_SIZE;
  if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > MAX_PAGE_SIZE)
    throw new RequestMalformedError(`pageSize must be a whole number from 1 to ${MAX_PAGE_SIZE}.`);
  if (request.status === TaskState.UNRECOGNIZED)
    throw new RequestMalformedError("status is no task state: name one like TASK_STATE_COMPLETED.");
  checkHistoryLength(request.historyLength);
  const after = request.statusTimestampAfter ? Date.parse(request.statusTimestampAfter) : 0;
  if (Number.isNaN(after)) throw new RequestMalformedError("statusTimestampAfter is no ISO 8601 time.");
  const position = request.pageToken ? parseToken(request.pageToken) : undefined;
  return { pageSize, state: request.status || undefined, after, position };
}

/** Filters, sorts and cuts. Throws RequestMalformedError for a request that makes no sense. */
export function listPage<Row extends Listed>(rows: readonly Row[], request: ListTasksRequest): Page<Row> {
  const query = listQuery(request);
  const { state: wanted, after, position, pageSize } = query;
  const matching = rows
    .filter(({ state, updatedAt }) => updatedAt >= after && (wanted === undefined || state === wanted))
    .sort(newestFirst);
  const start = position ? matching.findIndex((row) => newestFirst(row, position) > 0) : 0;
  return pageOf(start === -1 ? [] : matching.slice(start, start + pageSize + 1), matching.length, query);
}

/** `found`: the page's tasks, and one more where there are more. */
export function pageOf<Row extends Listed>(found: readonly Row[], totalSize: number, query: ListQuery): Page<Row> {
  const { pageSize } = query;
  const tasks = found.slice(0, pageSize);
  const last = tasks.at(-1);
  const nextPageToken = last !== undefined && found.length > pageSize ? formatToken(last) : "";
  return { tasks, nextPageToken, pageSize, totalSize };
}

/** Throws RequestMalformedError for a historyLength that is no length (A2A 1.0, section 3.2.4). */
export function checkHistoryLength(historyLength: number | undefined): void {
  if (historyLength === undefined || (Number.isInteger(historyLength) && historyLength >= 0)) return;
  throw new RequestMalformedError("historyLength must be a whole number and not negative.");
}

/** Where a page ends. */
export type Position = Omit<Listed, "state">;

function newestFirst(a: Position, b: Position): number {
  return b.updatedAt - a.updatedAt || (a.contextId < b.contextId ? 1 : a.contextId > b.contextId ? -1 : b.n - a.n);
}

function formatToken({ updatedAt, n, contextId }: Position): string {
  return toBase64url(`${updatedAt}.${n}.${contextId}`);
}

function parseToken(token: string): Position {
  const match = /^(\d+)\.(\d+)\.(.*)$/s.exec(fromBase64url(token) ?? "");
  const [, updatedAt, n, contextId] = match ?? [];
  if (contextId === undefined) throw new RequestMalformedError("pageToken is not one that this agent gave out.");
  return { updatedAt: Number(updatedAt), n: Number(n), contextId };
}
