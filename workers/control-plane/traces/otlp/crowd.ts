// Counts the messages of a body before it is parsed: a few compressed kilobytes can hold millions of empty spans, and a
// parsed span costs a hundred times its bytes.
import type { Encoding } from "./export-answer.ts";

/** More than 8 MiB of real spans hold: an attribute takes at least 20 bytes. */
export const MAX_PARTS = 500_000;

export function hasTooManyParts(bytes: Uint8Array, encoding: Encoding): boolean {
  // A message takes at least a byte, so nearly every export needs no count.
  if (bytes.length <= MAX_PARTS) return false;
  return (encoding === "json" ? countObjects(bytes) : countMessages(bytes, REQUEST)) > MAX_PARTS;
}

const BRACE = 0x7b;

function countObjects(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte === BRACE) count++;
  return count;
}

/** Field number → shape of the message in that field. */
interface Shape {
  readonly [field: number]: Shape;
}

const KEY_VALUE: Record<number, Shape> = {};
const ANY_VALUE: Record<number, Shape> = {};
KEY_VALUE[2] = ANY_VALUE;
ANY_VALUE[5] = { 1: ANY_VALUE };
ANY_VALUE[6] = { 1: KEY_VALUE };
/** opentelemetry/proto/trace/v1/trace.proto */
const SPAN: Shape = { 9: KEY_VALUE, 11: { 3: KEY_VALUE }, 13: { 4: KEY_VALUE }, 15: {} };
const REQUEST: Shape = { 1: { 1: { 1: KEY_VALUE }, 2: { 1: { 3: KEY_VALUE }, 2: SPAN } } };

/** The number of messages, up to the limit. Stops at malformed bytes, which the decoder reports. */
function countMessages(bytes: Uint8Array, request: Shape): number {
  const waiting: { readonly shape: Shape; at: number; readonly end: number }[] = [
    { shape: request, at: 0, end: bytes.length },
  ];
  let count = 0;
  for (let message = waiting.pop(); message && count <= MAX_PARTS; message = waiting.pop()) {
    const { shape, end } = message;
    let { at } = message;
    while (at < end) {
      const tag = varint(bytes, at);
      at = tag.next;
      const [field, wire] = [Math.floor(tag.value / 8), tag.value % 8];
      if (wire === 0) at = varint(bytes, at).next;
      else if (wire === 1) at += 8;
      else if (wire === 5) at += 4;
      else if (wire === 2) {
        const length = varint(bytes, at);
        const inner = shape[field];
        at = length.next + length.value;
        if (inner && at <= end) {
          count++;
          waiting.push({ shape: inner, at: length.next, end: at });
        }
      } else break;
      if (count > MAX_PARTS) break;
    }
  }
  return count;
}

function varint(bytes: Uint8Array, start: number): { readonly value: number; readonly next: number } {
  let value = 0;
  let scale = 1;
  let at = start;
  for (;;) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80 || at - start > 9) return { value, next: at };
    scale *= 128;
  }
}
