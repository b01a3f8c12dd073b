// Pages of OTLP/JSON from the trace store. Fields that are read here are checked; all others pass through, since the
// store keeps spans of any sender.
import * as z from "zod";

import * as wire from "#shared/control-plane/traces.ts";

const Nanoseconds = z.union([z.string().regex(/^\d+$/), z.int().nonnegative()]);
const Attributes = z.array(z.looseObject({ key: z.string(), value: z.optional(z.unknown()) }));

const WholeSpan = z.looseObject({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.optional(z.string()),
  name: z.optional(z.string()),
  kind: z.optional(z.number()),
  startTimeUnixNano: Nanoseconds,
  /** "0" while it is open. */
  endTimeUnixNano: z.optional(Nanoseconds),
  attributes: z.optional(Attributes),
  events: z.optional(
    z.array(
      z.looseObject({
        name: z.optional(z.string()),
        timeUnixNano: z.optional(Nanoseconds),
        attributes: z.optional(Attributes),
      }),
    ),
  ),
  links: z.optional(z.array(z.looseObject({ traceId: z.string(), spanId: z.string() }))),
  status: z.optional(z.looseObject({ code: z.optional(z.number()), message: z.optional(z.string()) })),
});
export type WholeSpan = z.infer<typeof WholeSpan>;

const ResourceSpans = z.looseObject({
  resource: z.optional(z.looseObject({ attributes: z.optional(Attributes) })),
  scopeSpans: z.array(z.looseObject({ scope: z.optional(z.unknown()), spans: z.array(WholeSpan) })),
});
export type ResourceSpans = z.infer<typeof ResourceSpans>;

export const OtlpPage = wire.OtlpPage.extend({ resourceSpans: z.array(ResourceSpans) });
export type OtlpPage = z.infer<typeof OtlpPage>;

/** Attributes as a plain object; the last one of a repeated key counts. */
export function plainAttributes(attributes: z.infer<typeof Attributes> | undefined): Record<string, unknown> {
  return Object.fromEntries((attributes ?? []).map(({ key, value }) => [key, plain(value)]));
}

const Scalar = z.union([
  z.object({ stringValue: z.string() }).transform(({ stringValue }) => stringValue),
  z.object({ boolValue: z.boolean() }).transform(({ boolValue }) => boolValue),
  z.object({ intValue: z.union([z.string(), z.number()]) }).transform(({ intValue }) => wholeNumber(intValue)),
  // ProtoJSON writes NaN and Infinity as text.
  z.object({ doubleValue: z.union([z.number(), z.string()]) }).transform(({ doubleValue }) => doubleValue),
  z.object({ bytesValue: z.string() }).transform(({ bytesValue }) => bytesValue),
]);
const List = z.object({ arrayValue: z.object({ values: z.array(z.unknown()).default([]) }) });
const KeyedList = z.object({ kvlistValue: z.object({ values: Attributes.default([]) }) });

/** An AnyValue as plain JSON; null for one without a value. */
function plain(value: unknown): unknown {
  const scalar = Scalar.safeParse(value);
  if (scalar.success) return scalar.data;
  const list = List.safeParse(value);
  if (list.success) return list.data.arrayValue.values.map(plain);
  const map = KeyedList.safeParse(value);
  return map.success ? plainAttributes(map.data.kvlistValue.values) : null;
}

/** A number where that is exact, else the text. */
function wholeNumber(value: string | number): string | number {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Microseconds since the epoch; 0 for undefined. */
export function microseconds(nanoseconds: string | number | undefined): number {
  const text = String(nanoseconds ?? 0);
  // A safe integer has 15 digits: microseconds since 1970 fit, nanoseconds do not.
  return text.length <= 15 ? Math.floor(Number(text) / 1_000) : Number(text.slice(0, -3));
}
