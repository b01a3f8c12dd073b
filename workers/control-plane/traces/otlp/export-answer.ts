// Answers to an export in the sender's encoding: a partial success, or a google.rpc.Status.
// https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
import { encodeResponse } from "./protobuf.ts";
import type { Rejections } from "./rejections.ts";

export type Encoding = "json" | "protobuf";

export const CONTENT_TYPE = { json: "application/json", protobuf: "application/x-protobuf" } as const;

/** Codes of google.rpc.Code by HTTP status. */
const CODES: Readonly<Record<number, number>> = { 400: 3, 401: 16, 408: 4, 413: 8, 415: 3, 503: 14 };
const UNKNOWN = 2;

export function accepted(encoding: Encoding, rejected: Rejections): Response {
  const body = rejected.isEmpty
    ? {}
    : { partialSuccess: { rejectedSpans: String(rejected.count), errorMessage: rejected.toString() } };
  return answer(200, encoding, encoding === "json" ? JSON.stringify(body) : encodeResponse(body));
}

export function refused(
  status: number,
  encoding: Encoding,
  message: string,
  headers: Record<string, string> = {},
): Response {
  const code = CODES[status] ?? UNKNOWN;
  const body = encoding === "json" ? JSON.stringify({ code, message }) : encodeStatus(code, message);
  return answer(status, encoding, body, headers);
}

function answer(
  status: number,
  encoding: Encoding,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Response {
  return new Response(body, { status, headers: { ...headers, "content-type": CONTENT_TYPE[encoding] } });
}

/** google.rpc.Status: `int32 code = 1; string message = 2;`, the code below 128. */
function encodeStatus(code: number, message: string): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(message);
  return new Uint8Array([0x08, code, 0x12, ...varint(text.length), ...text]);
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}
