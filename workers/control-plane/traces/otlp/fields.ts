// Reads fields of parsed OTLP/JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). By hand: a
// schema library would cost more for each span than all the rest. null counts as absent, as in proto3.
import type { AnyValue, KeyValue } from "#shared/tracing/otlp.ts";

/** Says what is wrong with a field, so that the sender can repair it. */
export class Fault extends Error {
  override readonly name = "Fault";
}

export type Fields = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 20;
const UINT64 = 2n ** 64n;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function fields(value: unknown, what: string): Fields {
  if (!isFields(value)) throw new Fault(`${what} must be an object`);
  return value;
}

export function list(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Fault(`${what} must be a list`);
  return value;
}

export function text(value: unknown, what: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw new Fault(`${what} must be text`);
  return value === "" ? undefined : value;
}

/** An enum's number, a counter or flags. */
export function uint32(value: unknown, what: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw new Fault(`${what} must be a number, not ${excerpt(value)}`);
  }
  return value === 0 ? undefined : value;
}

/** Reads an optional part. When the part is malformed, calls `onLoss` with the reason and returns `otherwise`. */
export function readOptional<Value, Other>(
  read: () => Value,
  onLoss: (reason: string) => void,
  otherwise: Other,
): Value | Other {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    onLoss(error.message);
    return otherwise;
  }
}

/** The well-formed items of a list, and the number of the others. */
export function readItems<Item>(
  value: unknown,
  what: string,
  read: (item: unknown) => Item,
  onLoss: (reason: string) => void,
): { readonly items: Item[]; readonly dropped: number } {
  const all = readOptional(() => list(value, what), onLoss, []);
  const items = all.flatMap((item) => readOptional((): Item[] => [read(item)], onLoss, []));
  return { items, dropped: all.length - items.length };
}

const HEX = /^[0-9a-fA-F]+$/;
const ZEROS = /^0+$/;

/** An id in lower case. */
export function id(value: unknown, digits: 16 | 32, what: string): string {
  if (typeof value !== "string" || value.length !== digits || !HEX.test(value)) {
    throw new Fault(`${what} must be ${digits} hex digits, not ${excerpt(value)}`);
  }
  if (ZEROS.test(value)) throw new Fault(`${what} must not be all zero`);
  return value.toLowerCase();
}

const DIGITS = /^(0|[1-9]\d{0,19})$/;

/** Nanoseconds since the epoch as digits; "0" for none. A JSON number is taken too, although it has lost digits. */
export function nano(value: unknown, what: string): string {
  if (value === undefined || value === null || value === "") return "0";
  if (typeof value === "string" && DIGITS.test(value) && (value.length < 20 || BigInt(value) < UINT64)) return value;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 64) {
    return BigInt(value).toString();
  }
  throw new Fault(`${what} must be nanoseconds since the epoch in digits, not ${excerpt(value)}`);
}

/** The well-formed attributes, and the number of the others. */
export function readAttributes(value: unknown, what: string, onLoss: (reason: string) => void) {
  return readItems(value, what, (item) => attribute(item, what, 0), onLoss);
}

function attribute(item: unknown, what: string, depth: number): KeyValue {
  const { key, value } = fields(item, `each of ${what}`);
  if (typeof key !== "string") throw new Fault(`each of ${what} needs a key`);
  return { key, value: value === undefined || value === null ? EMPTY : anyValue(value, key, depth) };
}

/** An AnyValue of OTLP may hold nothing. */
const EMPTY: AnyValue = { stringValue: "" };

function anyValue(value: unknown, key: string, depth: number): AnyValue {
  if (depth > MAX_DEPTH) throw new Fault(`the attribute ${excerpt(key)} is nested more than ${MAX_DEPTH} deep`);
  const { stringValue, intValue, doubleValue, boolValue, arrayValue, kvlistValue, bytesValue } = fields(value, key);
  if (typeof stringValue === "string") return { stringValue };
  if (typeof boolValue === "boolean") return { boolValue };
  if (typeof intValue === "string" && /^-?\d{1,20}$/.test(intValue)) return { intValue: int64(intValue, key) };
  if (typeof intValue === "number" && Number.isInteger(intValue)) return { intValue: int64(intValue, key) };
  if (typeof doubleValue === "number" && Number.isFinite(doubleValue)) return { doubleValue };
  // JSON has no number for infinity and NaN: kept as text.
  if (typeof doubleValue === "number" || typeof doubleValue === "string") return { stringValue: String(doubleValue) };
  if (typeof bytesValue === "string" && BASE64.test(bytesValue)) return { bytesValue };
  // Decoded protobuf holds raw bytes.
  if (bytesValue instanceof Uint8Array) return { bytesValue: toBase64(bytesValue) };
  if (isFields(arrayValue)) {
    const values = list(arrayValue["values"], key);
    return { arrayValue: { values: values.map((item) => anyValue(item ?? EMPTY, key, depth + 1)) } };
  }
  if (isFields(kvlistValue)) {
    const values = list(kvlistValue["values"], key);
    return { kvlistValue: { values: values.map((item) => attribute(item, key, depth + 1)) } };
  }
  for (const field in fields(value, key)) {
    if (field.endsWith("Value")) throw new Fault(`the attribute ${excerpt(key)} has a ${field} of the wrong type`);
  }
  return EMPTY;
}

/** The form of bytes in OTLP/JSON; base64url is taken too. */
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

function int64(value: string | number, key: string): string {
  const number = BigInt(value);
  if (BigInt.asIntN(64, number) === number) return number.toString();
  throw new Fault(`the attribute ${excerpt(key)} has an intValue of more than 64 bits`);
}

function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** The beginning of a sender's value as JSON, for a message. */
export function excerpt(value: unknown): string {
  const json = value === undefined ? "nothing" : JSON.stringify(value);
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
}
