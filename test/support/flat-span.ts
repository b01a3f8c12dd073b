// Spans as plain values, so that what two places hold of one trace can be compared, whatever wrote or encoded it.
import type { AnyValue, KeyValue, OtlpSpan, ResourceSpans } from "#shared/tracing/otlp.ts";

export type PlainValue = string | number | boolean | readonly PlainValue[] | { readonly [key: string]: PlainValue };
type PlainAttributes = Readonly<Record<string, PlainValue>>;

export interface FlatSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for none. */
  readonly parentId: string;
  readonly name: string;
  /** As OTLP numbers them. */
  readonly kind: number;
  /** Nanoseconds since the epoch. */
  readonly start: bigint;
  /** Nanoseconds since the epoch; 0 while the span is open. */
  readonly end: bigint;
  readonly attributes: PlainAttributes;
  readonly resource: PlainAttributes;
  readonly status: number;
  readonly message: string;
  readonly events: readonly { readonly name: string; readonly time: bigint; readonly attributes: PlainAttributes }[];
}

/** All spans, by their ids. A span that is there twice stays twice. */
export function flatSpans(groups: readonly ResourceSpans[]): FlatSpan[] {
  const spans = groups.flatMap(({ resource, scopeSpans }) => {
    const attributes = plainAttributes(resource.attributes);
    return scopeSpans.flatMap((scope) => scope.spans.map((span) => flatten(span, attributes)));
  });
  return bySpanId(spans);
}

export function bySpanId<Span extends { readonly spanId: string }>(spans: readonly Span[]): Span[] {
  return spans.toSorted((a, b) => (a.spanId < b.spanId ? -1 : 1));
}

function flatten(span: OtlpSpan, resource: PlainAttributes): FlatSpan {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentId: span.parentSpanId ?? "",
    name: span.name,
    kind: span.kind,
    start: BigInt(span.startTimeUnixNano),
    end: BigInt(span.endTimeUnixNano),
    attributes: plainAttributes(span.attributes),
    resource,
    status: span.status?.code ?? 0,
    message: span.status?.message ?? "",
    events: (span.events ?? []).map(({ name, timeUnixNano, attributes }) => ({
      name,
      time: BigInt(timeUnixNano),
      attributes: plainAttributes(attributes),
    })),
  };
}

function plainAttributes(attributes: readonly KeyValue[] = []): PlainAttributes {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue(value: AnyValue): PlainValue {
  if ("stringValue" in value) return value.stringValue;
  if ("boolValue" in value) return value.boolValue;
  if ("intValue" in value) return Number(value.intValue);
  if ("doubleValue" in value) return value.doubleValue;
  if ("bytesValue" in value) return value.bytesValue;
  if ("kvlistValue" in value) return plainAttributes(value.kvlistValue.values);
  return value.arrayValue.values.map(plainValue);
}
