// One span with everything recorded of it, as lines for the terminal (JSON laid out) or as plain data.
import { paints, type Screen } from "../../terminal/screen.ts";
import { manyLines, oneLine } from "../../terminal/terminal-text.ts";
import { duration } from "../amounts.ts";
import { microseconds, type OtlpPage, plainAttributes } from "../store/otlp-page.ts";
import { kindName, type Span, statusName } from "../span.ts";

export interface PlainSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | null;
  readonly name: string;
  readonly kind: string;
  /** ISO 8601. */
  readonly startTime: string;
  readonly durationUs: number | null;
  readonly status: ReturnType<typeof statusName>;
  readonly message: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly events: readonly {
    readonly name: string;
    /** Microseconds after the span's beginning. */
    readonly afterUs: number;
    readonly attributes: Readonly<Record<string, unknown>>;
  }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

/** The first span of a page; undefined for an empty page. */
export function plainSpan({ resourceSpans }: OtlpPage): PlainSpan | undefined {
  const [first] = resourceSpans;
  const span = first?.scopeSpans[0]?.spans[0];
  if (span === undefined) return undefined;
  const startUs = microseconds(span.startTimeUnixNano);
  const ended = microseconds(span.endTimeUnixNano);
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentId: span.parentSpanId === undefined || span.parentSpanId === "" ? null : span.parentSpanId,
    name: span.name ?? "",
    kind: kindName(span.kind ?? 0),
    startTime: new Date(startUs / 1_000).toISOString(),
    durationUs: ended === 0 ? null : ended - startUs,
    status: statusName(span.status?.code),
    message: span.status?.message ?? "",
    attributes: plainAttributes(span.attributes),
    resource: plainAttributes(first?.resource?.attributes),
    events: (span.events ?? []).map(({ name, timeUnixNano, attributes }) => ({
      name: name ?? "",
      afterUs: microseconds(timeUnixNano) - startUs,
      attributes: plainAttributes(attributes),
    })),
    links: (span.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
  };
}

/** How many of its children are listed. */
const MOST_BELOW = 20;

/** `below`: the children of the span. */
export function drawSpan(span: PlainSpan, screen: Screen, below: readonly Span[] = []): string[] {
  const style = paints(screen);
  const took = span.durationUs === null ? "still open" : duration(span.durationUs);
  const status = span.status === "error" ? style.red(`error: ${oneLine(span.message)}`) : span.status;
  const facts: [string, string][] = [
    ["span", span.spanId],
    ["trace", span.traceId],
    ["parent", span.parentId ?? "none"],
    ["kind", span.kind],
    ["began", span.startTime],
    ["took", took],
    ["status", status],
  ];
  const lines = [style.bold(oneLine(span.name)), ...facts.map(([name, value]) => `  ${name.padEnd(8)}${value}`)];
  const section = (title: string, attributes: Readonly<Record<string, unknown>>): void => {
    lines.push(style.bold(title));
    for (const [key, value] of Object.entries(attributes)) {
      const [first = "", ...rest] = laidOut(value).split("\n");
      const name = style.cyan(oneLine(key));
      if (rest.length === 0) lines.push(`  ${name} = ${first}`);
      else lines.push(`  ${name} =`, ...[first, ...rest].map((line) => `    ${line}`.trimEnd()));
    }
  };
  if (Object.keys(span.attributes).length > 0) section("attributes", span.attributes);
  for (const { name, afterUs, attributes } of span.events) {
    section(`event “${oneLine(name)}” after ${duration(afterUs)}`, attributes);
  }
  for (const link of span.links) lines.push(`${style.bold("link")} to span ${link.spanId} of trace ${link.traceId}`);
  if (Object.keys(span.resource).length > 0) section("resource", span.resource);
  if (below.length > 0) lines.push(style.bold("below it"));
  for (const { spanId, agent, name } of below.slice(0, MOST_BELOW)) {
    lines.push(`  ${spanId}  ${oneLine(agent)}  ${oneLine(name)}`);
  }
  if (below.length > MOST_BELOW) lines.push(`  and ${below.length - MOST_BELOW} more`);
  return lines;
}

/** JSON, also in a string, with indentation; other text unchanged. */
function laidOut(value: unknown): string {
  if (typeof value !== "string") return manyLines(JSON.stringify(value));
  if (!/^\s*[[{]/.test(value)) return manyLines(value);
  try {
    return manyLines(JSON.stringify(JSON.parse(value), null, 2));
  } catch {
    // Text that begins with a bracket, or JSON that was cut.
    return manyLines(value);
  }
}
