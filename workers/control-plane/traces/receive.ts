// The OTLP/HTTP receiver: authenticates and checks an export, and stores it in the job's Traces objects.
// https://opentelemetry.io/docs/specs/otlp/#otlphttp
import { diskFull, freeDisk } from "#shared/http/free-disk.ts";
import { RETRY_AFTER_S } from "#shared/http/gate.ts";
import { identify } from "../auth.ts";
import type { Env } from "../env.ts";
import { accepted, type Encoding, refused } from "./otlp/export-answer.ts";
import { MAX_BODY_BYTES, readBody } from "./otlp/export-body.ts";
import { isFields } from "./otlp/fields.ts";
import { hasTooManyParts, MAX_PARTS } from "./otlp/crowd.ts";
import { decodeRequest } from "./otlp/protobuf.ts";
import { readExport } from "./otlp/read-export.ts";
import { storeSpans } from "./shards.ts";

const ENCODINGS: Readonly<Record<string, Encoding>> = {
  "application/json": "json",
  "application/x-protobuf": "protobuf",
};
const TOO_LARGE = `A request may have ${MAX_BODY_BYTES} bytes, packed and unpacked, and ${MAX_PARTS} spans, attributes and events in all. Send fewer spans at once.`;

export async function receiveSpans(request: Request, env: Env): Promise<Response> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  const known = ENCODINGS[type];
  const encoding = known ?? "json";
  const sender = identify(request, env);
  if ("status" in sender) {
    const { status, detail } = sender;
    return refused(status, encoding, detail, status === 401 ? { "www-authenticate": "Bearer" } : {});
  }
  const { job, agent } = sender;
  const packing = request.headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (known === undefined || (packing !== "gzip" && packing !== "identity")) {
    const accepts = "Send application/json or application/x-protobuf, as it is or with content-encoding gzip";
    return refused(415, encoding, `${accepts}; not ${JSON.stringify(type)} with ${JSON.stringify(packing)}.`);
  }
  const disk = await freeDisk(env.MACHINE);
  if (!disk.enough) {
    const [{ status, detail }, headers] = diskFull(disk);
    return refused(status, encoding, detail, headers);
  }
  const body = await readBody(request, packing === "gzip");
  if (!body.ok) {
    switch (body.why) {
      case "too-large":
        return refused(413, encoding, TOO_LARGE);
      case "too-slow":
        return refused(408, encoding, "The body came too slowly. Send it faster, or fewer spans at once.");
      case "not-gzip":
        return refused(400, encoding, "The body is not in gzip format, as its content-encoding says.");
    }
  }
  if (hasTooManyParts(body.bytes, encoding)) return refused(413, encoding, TOO_LARGE);
  const read = parseExport(body.bytes, encoding, agent);
  if (!read.ok) return refused(400, encoding, read.message);
  try {
    const rejected = await storeSpans(env, job, read.batch);
    read.rejected.addAll(rejected.count, rejected.reasons);
    // Not every sender logs the answer.
    if (!read.rejected.isEmpty) console.warn(`Spans of ${job}: ${read.rejected.toString()}`);
    return accepted(encoding, read.rejected);
  } catch (error) {
    console.error(error);
    // Exporters retry a 503. A repeated export changes nothing that was stored.
    const headers = { "retry-after": String(RETRY_AFTER_S) };
    return refused(503, encoding, "The spans could not be stored. Send them again.", headers);
  }
}

/** `agent`: the sender; undefined for the deployment. */
function parseExport(bytes: Uint8Array, encoding: Encoding, agent: string | undefined): ReturnType<typeof readExport> {
  let body: unknown;
  try {
    body =
      encoding === "json"
        ? JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes))
        : decodeRequest(bytes);
  } catch (error) {
    // Bad UTF-8, syntax or wire format: the sender has to repair it.
    const format = encoding === "json" ? "JSON in UTF-8" : "an ExportTraceServiceRequest in protobuf";
    return { ok: false, message: `The body is not ${format}: ${String(error)}` };
  }
  // protobuf reads most other bytes as a request without spans.
  if (encoding === "protobuf" && bytes.length > 0 && !hasSpans(body))
    return { ok: false, message: "The body is no ExportTraceServiceRequest in protobuf: it holds no resourceSpans." };
  return readExport(body, Date.now(), agent);
}

function hasSpans(body: unknown): boolean {
  return isFields(body) && Array.isArray(body["resourceSpans"]) && body["resourceSpans"].length > 0;
}
