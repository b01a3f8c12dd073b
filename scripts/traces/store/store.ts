// The control plane's trace store for one job, over HTTP with the job's token.
import * as z from "zod";

import { Deleted } from "#shared/control-plane/traces.ts";
import { Problem } from "#shared/http/problem.ts";
import { parseJson } from "#shared/text/parse-json.ts";
import { reasonOf } from "#shared/text/reason.ts";

import { ownFetch } from "../../project/own-fetch.ts";
import { CliError } from "../../terminal/cli-error.ts";
import { OtlpPage } from "./otlp-page.ts";
import { type Span, spansOf, TraceList, TracePage, type TraceSummary } from "../span.ts";
import { troupe } from "../../terminal/hint.ts";

/** Conditions that a trace must all meet. Keys and values as in the store's query string. */
export interface Filter {
  readonly kind?: string;
  readonly agent?: string;
  readonly status?: string;
  /** ISO 8601. */
  readonly since?: string;
  readonly minMs?: string;
  readonly minCost?: string;
  readonly text?: string;
  /** The first hex digits of a trace id. */
  readonly id?: string;
}

export interface Changes {
  readonly summary: TraceSummary;
  /** Spans that are new or changed; each once, in its present state. */
  readonly spans: readonly Span[];
  /** The highest number of a change so far. */
  readonly seq: number;
}

interface Access {
  readonly job: string;
  /** Origin of the control plane. */
  readonly url: string;
  readonly token: string;
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 10_000;
const MOST_LISTED = 1_000;
const MOST_SPANS = 10_000;
const MOST_WHOLE_SPANS = 1_000;

/** The trace has not arrived yet, or was deleted. */
class UnknownTraceError extends CliError {}

export class TraceStore {
  readonly job: string;
  readonly #access: Access;

  constructor(access: Access) {
    this.job = access.job;
    this.#access = access;
  }

  /** The newest traces that match, at most `limit`. */
  async list(filter: Filter, limit: number): Promise<TraceSummary[]> {
    const found: TraceSummary[] = [];
    let cursor: string | null = "";
    while (cursor !== null && found.length < limit) {
      const page: z.infer<typeof TraceList> = await this.#get("/v1/traces", TraceList, {
        ...filter,
        limit: String(Math.min(MOST_LISTED, limit - found.length)),
        ...(cursor === "" ? {} : { cursor }),
      });
      found.push(...page.traces);
      cursor = page.next;
    }
    return found.slice(0, limit);
  }

  /** Spans that have changed since `after`; 0 for all. Undefined when the store does not know the trace. */
  async changes(traceId: string, after: number): Promise<Changes | undefined> {
    try {
      return await this.#changes(traceId, after);
    } catch (error) {
      if (error instanceof UnknownTraceError) return undefined;
      throw error;
    }
  }

  async #changes(traceId: string, after: number): Promise<Changes> {
    const spans = new Map<string, Span>();
    let seq = after;
    for (;;) {
      const query = { after: String(seq), limit: String(MOST_SPANS) };
      const { trace, columns, next } = await this.#get(`/v1/traces/${traceId}`, TracePage, query);
      for (const span of spansOf(columns)) {
        spans.set(span.spanId, span);
        seq = Math.max(seq, span.seq);
      }
      if (next === null) return { summary: trace, spans: [...spans.values()], seq };
      seq = next;
    }
  }

  /** The whole spans, with attributes and events, in pages of OTLP. */
  async *otlp(traceId: string): AsyncGenerator<OtlpPage> {
    for (let after: number | null = 0; after !== null;) {
      const page: OtlpPage = await this.#otlpPage(traceId, after, MOST_WHOLE_SPANS);
      yield page;
      after = page.next;
    }
  }

  /** A whole span, found by its columns; undefined when it has changed since. */
  async whole(traceId: string, { spanId, seq }: Span): Promise<OtlpPage | undefined> {
    const page = await this.#otlpPage(traceId, seq - 1, 1);
    const has = page.resourceSpans.some(({ scopeSpans }) =>
      scopeSpans.some(({ spans }) => spans.some((span) => span.spanId === spanId)),
    );
    return has ? page : undefined;
  }

  /** Deletes the traces that began before this moment. Resolves to their number. */
  async prune(before: Date): Promise<number> {
    const query = new URLSearchParams({ before: before.toISOString() });
    const response = await this.#send("DELETE", `/v1/traces?${query}`);
    return parse(Deleted, await response.json()).deleted;
  }

  /** Deletes a trace. Resolves to false where there is none. */
  async delete(traceId: string): Promise<boolean> {
    try {
      await this.#send("DELETE", `/v1/traces/${traceId}`);
      return true;
    } catch (error) {
      if (error instanceof UnknownTraceError) return false;
      throw error;
    }
  }

  async #otlpPage(traceId: string, after: number, limit: number): Promise<OtlpPage> {
    return this.#get(`/v1/traces/${traceId}/otlp`, OtlpPage, { after: String(after), limit: String(limit) });
  }

  async #get<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    query: Readonly<Record<string, string>>,
  ): Promise<z.infer<Schema>> {
    const response = await this.#send("GET", `${path}?${new URLSearchParams(query)}`);
    return parse(schema, await response.json());
  }

  async #send(method: string, path: string): Promise<Response> {
    const { url, token, signal, job } = this.#access;
    let response: Response;
    try {
      response = await ownFetch(url + path, {
        method,
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
    } catch (error) {
      signal.throwIfAborted();
      throw new CliError(
        "failed",
        `The control plane at ${url} does not answer: ${reasonOf(error)}.`,
        `Start it again: ${troupe`restart ${job}`}`,
      );
    }
    if (response.ok) return response;
    const { type, detail } = Problem.safeParse(parseJson(await response.text())).data ?? { type: "", detail: "" };
    const message = `The trace store answers ${response.status}: ${detail}`;
    if (type === "/problems/unknown-trace")
      throw new UnknownTraceError("failed", message, `Run: ${troupe`traces list`}`);
    throw new CliError("failed", message, adviceFor(response, job));
  }
}

/** The error for a trace that was there a moment ago. */
export function deletedMeanwhile(traceId: string): CliError {
  return new CliError("failed", `The trace ${traceId} was deleted meanwhile.`, `Run: ${troupe`traces list`}`);
}

function adviceFor({ status }: Response, job: string): string {
  switch (status) {
    case 401:
      return `The control plane has a new secret. Deploy the job again: ${troupe`deploy ${job}`}`;
    case 404:
      return `An older control plane may run. Start the current one: ${troupe`restart ${job}`}`;
    default:
      return "";
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new CliError(
    "failed",
    `This version does not understand the answer of the trace store: ${z.prettifyError(parsed.error)}`,
    `Restart a job, so that both are of one version: ${troupe`restart`} <job>`,
  );
}
