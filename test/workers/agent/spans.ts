// Spans as the trace store of the tests has received them.
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import * as z from "zod";
import { scalarOf, type KeyValue } from "../../../shared/tracing/otlp.ts";

const Attributes = z.array(
  z.custom<KeyValue>((value) => z.object({ key: z.string(), value: z.object() }).safeParse(value).success),
);
const Spans = z.array(
  z.object({
    traceId: z.string(),
    spanId: z.string(),
    parentSpanId: z.string().optional(),
    name: z.string(),
    kind: z.number(),
    startTimeUnixNano: z.string(),
    endTimeUnixNano: z.string(),
    attributes: Attributes,
    events: z.array(z.object({ name: z.string(), attributes: Attributes })),
    status: z.object({ code: z.number(), message: z.string().optional() }),
    links: z.array(z.object({ traceId: z.string(), spanId: z.string() })).default([]),
  }),
);
const OtlpRequest = z.object({
  resourceSpans: z.array(z.object({ scopeSpans: z.array(z.object({ spans: Spans })) })),
});
type Wire = z.infer<typeof Spans>[number];

export interface Seen extends Wire {
  readonly open: boolean;
  readonly error: string | undefined;
  get(attribute: string): string | number | boolean | undefined;
}

export async function allSpans(path = "/spans"): Promise<Seen[]> {
  const response = await env.CONTROL_PLANE.fetch(`https://control-plane${path}`);
  return Spans.parse(await response.json()).map(seen);
}

/** The spans of one OTLP/JSON request. */
export function spansIn(request: unknown): Seen[] {
  const { resourceSpans } = OtlpRequest.parse(request);
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans.map(seen)));
}

function seen(span: Wire): Seen {
  return {
    ...span,
    open: span.endTimeUnixNano === "0",
    error: span.status.code === 2 ? String(scalarOf(span.attributes, "error.type")) : undefined,
    get: (attribute) => scalarOf(span.attributes, attribute),
  };
}

/** The trace of a session's query, once its root has ended, or once `until` is true of it. */
export async function traceOf(
  contextId: string,
  until = (spans: readonly Seen[]) => !rootOf(spans).open,
): Promise<Seen[]> {
  const find = async () => {
    const spans = await allSpans();
    const root = spans.findLast((span) => span.get("gen_ai.conversation.id") === contextId && span.kind === 2);
    return root ? spans.filter(({ traceId }) => traceId === root.traceId) : [];
  };
  await expect.poll(async () => ((spans) => spans.length > 0 && until(spans))(await find())).toBe(true);
  return find();
}

export function rootOf(spans: readonly Seen[]): Seen {
  return one(spans, (span) => span.kind === 2);
}

/** Throws unless exactly one span fits. */
export function one(spans: readonly Seen[], fits: string | ((span: Seen) => boolean)): Seen {
  const found = spans.filter(typeof fits === "string" ? ({ name }) => name === fits : fits);
  const [span] = found;
  if (span && found.length === 1) return span;
  throw new Error(`${found.length} spans fit, among ${spans.map(({ name }) => name).join(", ")}`);
}
