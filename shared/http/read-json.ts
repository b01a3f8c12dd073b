// Reads a JSON request body. Checks content type, size, what its sender has signed, syntax and schema, in this order.
import { createHash } from "node:crypto";
import * as z from "zod";
import { isTooDeep, MOST_JSON_DEPTH } from "../text/parse-json.ts";
import { problem, type Problem } from "./problem.ts";
import { BODY_LIMIT_MS, readRequest } from "./read-body.ts";

export type ReadResult<Value> = { ok: true; value: Value } | { ok: false; problem: Problem };

/** Bodies that were promised, as SHA-256 in base64url. */
const promised = new WeakMap<Request, string>();

/** From now on only a body of this digest is read: SHA-256 in base64url. */
export function promiseBody(request: Request, digest: string): void {
  promised.set(request, digest);
}

/** Reads a body of at most `limitBytes` that arrives within `limitMs` milliseconds and fits `schema`. */
export async function readJson<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
  limitBytes: number,
  limitMs = BODY_LIMIT_MS,
): Promise<ReadResult<z.output<Schema>>> {
  const read = await readAnyJson(request, limitBytes, limitMs);
  if (!read.ok) return read;
  // Two different ill-formed texts could be stored as the same text.
  if (!isWellFormed(read.value)) {
    return fail("invalid-request", "The body holds half a surrogate pair, which is no text. Send whole characters.");
  }
  return checkValue(read.value, schema);
}

/** As readJson, without a schema. Strings may be ill-formed. */
export async function readAnyJson(
  request: Request,
  limitBytes: number,
  limitMs = BODY_LIMIT_MS,
): Promise<ReadResult<unknown>> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type !== "application/json" && !type.endsWith("+json")) {
    const got = type === "" ? "has no content type" : `is "${type}"`;
    return fail("unsupported-media-type", `The body ${got}. Send JSON with "content-type: application/json".`);
  }
  const bytes = await readRequest(request, limitBytes, limitMs);
  if (bytes === "too-large") {
    return fail("body-too-large", `The body has more than ${limitBytes} bytes. Send less at once.`);
  }
  if (bytes === "too-slow") {
    return fail(
      "request-timeout",
      `The body was not there after ${limitMs / 1000} s. Send it faster, or less at once.`,
    );
  }
  const digest = promised.get(request);
  if (digest !== undefined && digest !== createHash("sha256").update(bytes).digest("base64url")) {
    return fail("unauthorized", "The token was signed for another body. Sign each request anew.");
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
    if (isTooDeep(text)) return fail("invalid-request", `The body is nested more than ${MOST_JSON_DEPTH} levels deep.`);
    const value: unknown = JSON.parse(text);
    return { ok: true, value };
  } catch (error) {
    // Bad UTF-8 or bad syntax: the client has to repair it.
    return fail("invalid-request", `The body is not JSON in UTF-8: ${String(error)}`);
  }
}

/** Whether all strings and property names in a JSON value are well-formed. Without recursion: the value may be deep. */
function isWellFormed(value: unknown): boolean {
  const waiting = [value];
  for (let next = waiting.pop(); waiting.length > 0 || next !== undefined; next = waiting.pop()) {
    if (typeof next === "string" && !next.isWellFormed()) return false;
    if (typeof next !== "object" || next === null) continue;
    if (!Array.isArray(next) && Object.keys(next).some((name) => !name.isWellFormed())) return false;
    for (const inner of Object.values(next)) waiting.push(inner);
  }
  return true;
}

/** Checks a value against its schema. The problem lists every mistake with its place. */
export function checkValue<Schema extends z.ZodType>(value: unknown, schema: Schema): ReadResult<z.output<Schema>> {
  const parsed = schema.safeParse(value);
  return parsed.success ? { ok: true, value: parsed.data } : fail("invalid-request", z.prettifyError(parsed.error));
}

function fail(kind: Parameters<typeof problem>[0], detail: string): { ok: false; problem: Problem } {
  return { ok: false, problem: problem(kind, detail) };
}
