// autotel-devtools as a receiver of OTLP in a test: no code of ours on the receiving side. It is asked over HTTP, as a person's
// browser would ask it.
import { createDevtools } from "autotel-devtools";
import * as z from "zod";

import { bySpanId, type FlatSpan } from "./flat-span.ts";

const Attributes = z.record(z.string(), z.unknown()).default({});
const Span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().default(""),
  name: z.string(),
  kind: z.string(),
  startTime: z.number(),
  endTime: z.number(),
  attributes: Attributes,
  status: z.object({ code: z.string(), message: z.string().default("") }),
  events: z.array(z.object({ name: z.string(), timestamp: z.number(), attributes: Attributes })).default([]),
});
const Traces = z.object({ traces: z.array(z.object({ traceId: z.string(), spans: z.array(Span) })) });
type DevtoolsSpan = z.infer<typeof Span>;

const KINDS = ["INTERNAL", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
const STATUSES = ["UNSET", "OK", "ERROR"];

export class Devtools {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  readonly #close: () => Promise<void>;

  private constructor(endpoint: string, close: () => Promise<void>) {
    this.endpoint = endpoint;
    this.#close = close;
  }

  /** On a free port of 127.0.0.1. */
  static async start(): Promise<Devtools> {
    const { ready, close } = createDevtools({ port: 0, sourceRoot: false });
    const { port } = await ready;
    return new Devtools(`http://127.0.0.1:${port}`, close);
  }

  /** What it has of this trace so far, by span ids. */
  async spans(traceId: string): Promise<DevtoolsSpan[]> {
    const response = await fetch(`${this.endpoint}/v1/traces`);
    const { traces } = Traces.parse(await response.json());
    return bySpanId(traces.filter((trace) => trace.traceId === traceId).flatMap(({ spans }) => spans));
  }

  async close(): Promise<void> {
    await this.#close();
  }
}

/** The span as devtools shows it: resource among the attributes, times in milliseconds, names for numbers. */
export function asDevtoolsShows(span: FlatSpan): DevtoolsSpan {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentId,
    name: span.name,
    kind: KINDS[span.kind] ?? "",
    startTime: toMs(span.start),
    endTime: toMs(span.end),
    attributes: { ...span.resource, ...span.attributes },
    status: { code: STATUSES[span.status] ?? "", message: span.message },
    events: span.events.map(({ name, time, attributes }) => ({ name, timestamp: toMs(time), attributes })),
  };
}

function toMs(nanoseconds: bigint): number {
  return Number(nanoseconds / 1_000_000n) + Number(nanoseconds % 1_000_000n) / 1e6;
}
