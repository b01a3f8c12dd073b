// A job of a test whose traces are forwarded to a collector of its own, and a trace in it.
import { env } from "cloudflare:workers";
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, vi } from "vitest";
import { randomHex } from "#shared/tracing/trace-context.ts";
import { decodeRequest } from "../../../workers/control-plane/traces/otlp/protobuf.ts";
import { readExport } from "../../../workers/control-plane/traces/otlp/read-export.ts";
import type { SettingVariables } from "../../../workers/control-plane/traces/forward/settings.ts";
import type { Collected, CollectorAnswer } from "../../support/collected.ts";
import { resource, shardWith, span, type SpanParts, START, store } from "./spans.ts";
import { jobWith } from "./test-traces.ts";

/** Attributes of a root. */
export const QUERY = { "troupe.trace.kind": "query" };

export class ForwardingJob {
  readonly collector = `http://${randomHex(8)}.collector.test`;
  readonly name: string;
  readonly traceId: string;

  constructor(settings: SettingVariables = {}, traceId = randomHex(16)) {
    this.name = jobWith(randomHex(4), { OTEL_EXPORTER_OTLP_ENDPOINT: this.collector, ...settings });
    this.traceId = traceId;
  }

  /** A span of the trace that has ended. */
  ended(parts: SpanParts = {}) {
    return span({ traceId: this.traceId, end: 10, ...parts });
  }

  /** Id of another trace of the same object. */
  sibling(): string {
    return randomHex(14) + this.traceId.slice(-4);
  }

  async store(spans: readonly object[], agent?: string): Promise<void> {
    const rejected = await store(this.name, spans, agent);
    if (rejected.count > 0) throw new Error(rejected.toString());
  }

  /** Lets the alarm of the trace's object ring, so many milliseconds after START. */
  async ring(afterStart: number): Promise<void> {
    vi.setSystemTime(START + afterStart);
    if (!(await runDurableObjectAlarm(shardWith(this.name, this.traceId)))) throw new Error("There is no alarm.");
  }

  /** When it rings next, in milliseconds after START. */
  async alarm(): Promise<number | undefined> {
    const time = await runInDurableObject(shardWith(this.name, this.traceId), (_, state) => state.storage.getAlarm());
    return time === null ? undefined : time - START;
  }

  /** Each answers one request of those to come, then all are taken. */
  async answer(...answers: CollectorAnswer[]): Promise<void> {
    await env.COLLECTOR.fetch(this.collector, { method: "PUT", body: JSON.stringify(answers) });
  }

  async received(): Promise<Collected[]> {
    return (await env.COLLECTOR.fetch(this.collector)).json();
  }
}

/** The spans of a request, each with its agent. */
export function spansOf(request: Collected | undefined) {
  const bytes = Uint8Array.from(atob(request?.body ?? ""), (char) => char.charCodeAt(0));
  const isJson = request?.headers["content-type"] === "application/json";
  const body: unknown = isJson ? JSON.parse(new TextDecoder().decode(bytes)) : decodeRequest(bytes);
  const read = readExport(body, Date.now());
  if (!read.ok) throw new Error(read.message);
  expect(read.rejected.count).toBe(0);
  const { sources, spans } = read.batch;
  expect(sources.map(({ scope }) => scope)).toContain(JSON.stringify({ scope: resource("", []).scopeSpans[0]?.scope }));
  return spans.map(({ json, source }) => ({
    ...(JSON.parse(json) as ReturnType<typeof span>),
    agent: sources[source]?.agent,
  }));
}
