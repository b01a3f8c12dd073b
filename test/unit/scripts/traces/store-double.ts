// A trace store on 127.0.0.1 in place of the control plane's: the same paths and shapes, over a real socket, for one job.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

import type { ResourceSpans, WholeSpan } from "../../../../scripts/traces/store/otlp-page.ts";
import type { Span, TraceSummary } from "../../../../scripts/traces/span.ts";
import { TraceStore } from "../../../../scripts/traces/store/store.ts";

const TOKEN = "job.token";
/** Small pages, so that what reads them must go on. */
const PAGE = 4;

export class TraceStoreDouble implements AsyncDisposable {
  readonly url: string;
  /** Every request as method and path with query. */
  readonly requests: string[] = [];
  /** Called before each answer. */
  onRequest: () => void = () => {};
  /** Fields of summaries, and columns of spans, that a store of another version does not know. */
  unknown: readonly string[] = [];
  readonly #server: Server;
  readonly #traces = new Map<string, { summary: TraceSummary; spans: readonly Span[] }>();

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
    server.on("request", (request: IncomingMessage, response: ServerResponse) => this.#answer(request, response));
  }

  static async start(): Promise<TraceStoreDouble> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    return new TraceStoreDouble(server, `http://127.0.0.1:${port}`);
  }

  /** The store's client, as the job sees it. */
  store(signal: AbortSignal = new AbortController().signal, token = TOKEN): TraceStore {
    return new TraceStore({ job: "job", url: this.url, token, signal });
  }

  put(summary: TraceSummary, spans: readonly Span[]): void {
    this.#traces.set(summary.traceId, { summary, spans: spans.toSorted((a, b) => a.seq - b.seq) });
  }

  delete(traceId: string): void {
    this.#traces.delete(traceId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #answer({ method = "", url = "", headers }: IncomingMessage, response: ServerResponse): void {
    this.requests.push(`${method} ${url}`);
    this.onRequest();
    const send = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body, this.#known));
    };
    const refuse = (status: number, kind: string, detail: string): void =>
      send(status, { type: `/problems/${kind}`, title: "t", status, detail });
    if (headers.authorization !== `Bearer ${TOKEN}`) return refuse(401, "unauthorized", "No such token.");
    const { pathname, searchParams } = new URL(url, this.url);
    const [, , , traceId, form] = pathname.split("/");
    if (traceId === undefined) {
      if (method === "DELETE") return send(200, { deleted: this.#prune(searchParams.get("before") ?? "") });
      return send(200, this.#list(searchParams));
    }
    const trace = this.#traces.get(traceId);
    if (trace === undefined) return refuse(404, "unknown-trace", "There is no such trace.");
    const after = Number(searchParams.get("after") ?? 0);
    const later = trace.spans.filter(({ seq }) => seq > after);
    const page = later.slice(0, Math.min(PAGE, Number(searchParams.get("limit") ?? PAGE)));
    const next = page.length < later.length ? (page.at(-1)?.seq ?? null) : null;
    if (form === "otlp") return send(200, { resourceSpans: resourceSpansOf(page, traceId), next });
    send(200, { trace: trace.summary, columns: columnsOf(page), next });
  }

  readonly #known = (key: string, value: unknown): unknown => (this.unknown.includes(key) ? undefined : value);

  #list(query: URLSearchParams) {
    const { kind, id = "" } = Object.fromEntries(query);
    const all = [...this.#traces.values()]
      .map(({ summary }) => summary)
      .filter((summary) => summary.traceId.startsWith(id) && (kind === undefined || summary.kind === kind))
      .toSorted((a, b) => b.startUs - a.startUs);
    const from = Number(query.get("cursor") ?? 0);
    const end = from + Math.min(PAGE, Number(query.get("limit") ?? 20));
    return { traces: all.slice(from, end), next: end < all.length ? String(end) : null };
  }

  #prune(before: string): number {
    const old = [...this.#traces.values()].filter(({ summary }) => summary.startTime < before);
    for (const { summary } of old) this.delete(summary.traceId);
    return old.length;
  }
}

function columnsOf(spans: readonly Span[]) {
  const strings = [""];
  const index = (text: string): number => {
    if (!strings.includes(text)) strings.push(text);
    return strings.indexOf(text);
  };
  return {
    seq: spans.map(({ seq }) => seq),
    spanId: spans.map(({ spanId }) => spanId),
    parentId: spans.map(({ parentId }) => parentId),
    name: spans.map(({ name }) => index(name)),
    agent: spans.map(({ agent }) => index(agent)),
    kind: spans.map(({ kind }) => kind),
    startUs: spans.map(({ startUs }) => startUs),
    durationUs: spans.map(({ durationUs }) => durationUs ?? -1),
    status: spans.map(({ status }) => status),
    message: spans.map(({ message }) => index(message)),
    provisional: spans.map(({ provisional }) => (provisional ? 1 : 0)),
    operation: spans.map(({ operation }) => index(operation)),
    inputTokens: spans.map(({ inputTokens }) => inputTokens),
    outputTokens: spans.map(({ outputTokens }) => outputTokens),
    costUsd: spans.map(({ costUsd }) => costUsd),
    strings,
  };
}

/** A resource for each span, as a store may answer that does not put spans together. */
export function resourceSpansOf(spans: readonly Span[], traceId: string): ResourceSpans[] {
  return spans.map((span) => ({
    resource: {
      attributes: [
        { key: "service.name", value: { stringValue: span.agent } },
        { key: "service.namespace", value: { stringValue: "job" } },
      ],
    },
    scopeSpans: [{ scope: { name: "troupe" }, spans: [wholeSpan(span, traceId)] }],
  }));
}

function wholeSpan({ spanId, parentId, name, kind, startUs, durationUs, ...span }: Span, traceId: string): WholeSpan {
  return {
    traceId,
    spanId,
    parentSpanId: parentId,
    name,
    kind,
    startTimeUnixNano: `${startUs}000`,
    endTimeUnixNano: durationUs === null ? "0" : `${startUs + durationUs}000`,
    attributes: [
      { key: "gen_ai.operation.name", value: { stringValue: span.operation } },
      { key: "gen_ai.usage.input_tokens", value: { intValue: String(span.inputTokens) } },
      { key: "gen_ai.response.time_to_first_chunk", value: { doubleValue: 0.02 } },
      { key: "gen_ai.input.messages", value: { stringValue: '[{"role":"user","parts":[]}]' } },
    ],
    status: { code: span.status, message: span.message },
  };
}
