// W3C Trace Context: one trace id for a query and all agents that work on it.

export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits: the parent of the next span. */
  readonly spanId: string;
}

/** The context of a `traceparent` header (version 00 or later); undefined for a missing or malformed one. */
export function parseTraceparent(header: string | null | undefined): TraceContext | undefined {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/.exec(header ?? "");
  const [, version, traceId, spanId, rest] = match ?? [];
  if (!traceId || !spanId || version === "ff" || (version === "00" && rest)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId };
}

export function formatTraceparent({ traceId, spanId }: TraceContext, sampled = true): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}

/** Ids for a span under `parent`, or for the root of a new trace. */
export function randomContext(parent?: TraceContext): TraceContext {
  return { traceId: parent?.traceId ?? randomHex(16), spanId: randomHex(8) };
}

/** Random bytes, in hex. At most 32 of them. */
export function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  used += bytes;
  return toHex(pool.subarray(used - bytes, used));
}

/** Random bytes that are fetched at once: each fetch costs more than the ids. None is used twice. */
const pool = new Uint8Array(1024);
let used = pool.length;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function toHex(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += HEX[byte] ?? "";
  return hex;
}
