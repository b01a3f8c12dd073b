// Spans for tests of the trace store, and ways to send and read them.
import { env as bindings } from "cloudflare:workers";
import { toAttributes, unixNano, type Plain } from "#shared/tracing/otlp.ts";
import { randomHex } from "#shared/tracing/trace-context.ts";
import controlPlane from "../../../workers/control-plane/index.ts";
import { mac } from "#shared/a2a/token.ts";
import { readExport } from "../../../workers/control-plane/traces/read-export.ts";
import { allShards, shardOf, storeSpans } from "../../../workers/control-plane/traces/shards.ts";
import type { ListQuery, SpanColumns, TracePage, TraceSummary } from "#shared/control-plane/traces.ts";
import { ListQuery as ListQuerySchema } from "#shared/control-plane/traces.ts";

/** Far in the future: the engine rings an alarm that is due by the real clock on its own. */
export const START = Date.UTC(2100, 0, 1);
const SECRET = "a secret of the control plane, long enough";

export interface SpanParts {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly parentSpanId?: string;
  readonly name?: string;
  readonly kind?: number;
  /** Milliseconds after START. */
  readonly start?: number;
  /** Milliseconds after START; absent while open. */
  readonly end?: number;
  readonly attributes?: Readonly<Record<string, Plain | undefined>>;
  readonly status?: { readonly code?: number; readonly message?: string };
}

/** A span in OTLP/JSON; with an end it lasts from 0 to 10 ms unless it says otherwise. */
export function span({ start = 0, end, attributes = {}, ...parts }: SpanParts) {
  return {
    traceId: parts.traceId ?? randomHex(16),
    spanId: parts.spanId ?? randomHex(8),
    name: "span",
    kind: 1,
    startTimeUnixNano: nano(start),
    endTimeUnixNano: end === undefined ? "0" : nano(end),
    attributes: toAttributes(attributes),
    ...parts,
  };
}

export function nano(afterStart: number): string {
  return unixNano(START + afterStart);
}

export function resource(agent: string, spans: readonly object[], more: Readonly<Record<string, Plain>> = {}) {
  return {
    resource: { attributes: toAttributes({ "service.name": agent, ...more }) },
    scopeSpans: [{ scope: { name: "test" }, spans }],
  };
}

/** Stores spans of one agent, past HTTP; resolves to what was refused. */
export async function store(job: string, spans: readonly object[], agent = "searcher", instance = "one") {
  const read = readExport({ resourceSpans: [resource(agent, spans, { "service.instance.id": instance })] }, Date.now());
  if (!read.ok) throw new Error(read.message);
  const rejected = await storeSpans(bindings, job, read.batch);
  rejected.addAll(read.rejected.count, read.rejected.reasons);
  return rejected;
}

export function shardWith(job: string, traceId: string) {
  return shardOf(bindings, job, traceId);
}

export async function page(
  job: string,
  traceId: string,
  query: { after?: number; limit?: number } = {},
): Promise<TracePage> {
  const json = await shardWith(job, traceId).page(traceId, { after: 0, limit: 5000, ...query });
  if (json === undefined) throw new Error(`There is no trace ${traceId}.`);
  return JSON.parse(json);
}

export async function summary(job: string, traceId: string): Promise<TraceSummary> {
  return (await page(job, traceId)).trace;
}

/** All that is stored of a trace's spans, by `seq`. */
export async function rows(job: string, traceId: string) {
  return toRows((await page(job, traceId)).columns);
}

export function toRows(columns: SpanColumns) {
  const text = (index: number | undefined) => columns.strings[index ?? -1];
  return columns.seq.map((seq, row) => ({
    seq,
    spanId: columns.spanId[row],
    parentId: columns.parentId[row],
    name: text(columns.name[row]),
    agent: text(columns.agent[row]),
    durationUs: columns.durationUs[row],
    status: columns.status[row],
    message: text(columns.message[row]),
    provisional: columns.provisional[row],
    operation: text(columns.operation[row]),
  }));
}

/** Ids of the job's traces in all shards, in order. */
export async function traceIds(job: string, query: Partial<ListQuery> = {}): Promise<string[]> {
  const lists = await Promise.all(
    allShards(bindings, job).map(async (shard) => shard.list({ ...ListQuerySchema.parse({ limit: 1000 }), ...query })),
  );
  return lists
    .flat()
    .map(({ traceId }) => traceId)
    .toSorted();
}

export function tokenOf(job: string): string {
  return `${job}.${mac(SECRET, `job:${job}`)}`;
}

interface Request {
  readonly method?: string;
  readonly body?: BodyInit;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Asks the control plane over HTTP as a job. */
export async function call(job: string, path: string, request: Request = {}) {
  const headers = { authorization: `Bearer ${tokenOf(job)}`, ...request.headers };
  const env = { ...bindings, TROUPE_SECRET: SECRET };
  return controlPlane.request(`http://localhost${path}`, { ...request, headers }, env);
}

/** POSTs an export, by default as JSON. */
export async function post(job: string, body: BodyInit | object, headers: Readonly<Record<string, string>> = {}) {
  const isBody = typeof body === "string" || body instanceof Uint8Array || body instanceof ReadableStream;
  return call(job, "/v1/traces", {
    method: "POST",
    body: isBody ? body : JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });
}
