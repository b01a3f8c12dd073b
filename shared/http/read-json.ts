// Reads a JSON request body: content type, size, syntax and schema, in this order, each with an error that says what to do.
import * as z from "zod";
import { isTooDeep, MOST_JSON_DEPTH } from "../text/parse-json.ts";
import { problem, type Problem } from "./problem.ts";

export type ReadResult<Value> = { ok: true; value: Value } | { ok: false; problem: Problem };

/** Reads at most `limitBytes` of the body: HTTP holds it to a Content-Length; without one it is counted while it streams in. */
export async function readJson<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
  limitBytes: number,
): Promise<ReadResult<z.output<Schema>>> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type !== "application/json" && !type.endsWith("+json")) {
    const got = type === "" ? "has no content type" : `is "${type}"`;
    return fail("unsupported-media-type", `The body ${got}. Send JSON with "content-type: application/json".`);
  }
  const declared = Number(request.headers.get("content-length") ?? Number.NaN);
  const bytes = declared <= limitBytes ? await request.bytes() : await readBytes(request.body, limitBytes);
  if (bytes === "too-large") {
    return fail("body-too-large", `The body has more than ${limitBytes} bytes. Send less at once.`);
  }
  let json: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
    if (isTooDeep(text)) return fail("invalid-request", `The body is nested more than ${MOST_JSON_DEPTH} levels deep.`);
    json = JSON.parse(text);
  } catch (error) {
    // Both ways to fail, bad UTF-8 and bad syntax, are the client's to repair.
    return fail("invalid-request", `The body is not JSON in UTF-8: ${String(error)}`);
  }
  return checkValue(json, schema);
}

/** Checks a value that came over HTTP against its schema; the problem lists every mistake with its place. */
export function checkValue<Schema extends z.ZodType>(value: unknown, schema: Schema): ReadResult<z.output<Schema>> {
  const parsed = schema.safeParse(value);
  return parsed.success ? { ok: true, value: parsed.data } : fail("invalid-request", z.prettifyError(parsed.error));
}

function fail(kind: Parameters<typeof problem>[0], detail: string): { ok: false; problem: Problem } {
  return { ok: false, problem: problem(kind, detail) };
}

/** Reads a body of at most `limitBytes`; a longer one is cut off where the limit is passed. */
export async function readBytes(
  body: ReadableStream<Uint8Array> | null,
  limitBytes: number,
): Promise<Uint8Array | "too-large"> {
  if (!body) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early cancels the stream.
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > limitBytes) return "too-large";
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}
