// The OTLP/HTTP receiver: checks who sends and what, and hands the spans to the job's Traces objects.
// https://opentelemetry.io/docs/specs/otlp/#otlphttp
import { identifyJob } from "../auth.ts";
import type { Env } from "../env.ts";
import { accepted, type Encoding, refused } from "./export-answer.ts";
import { MAX_BODY_BYTES, readBody } from "./export-body.ts";
import { isCrowded, MAX_PARTS } from "./crowd.ts";
import { decodeRequest } from "./protobuf.ts";
import { readExport } from "./read-export.ts";
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
  const job = identifyJob(request, env);
  if (typeof job !== "string") {
    return refused(job.status, encoding, job.detail, job.status === 401 ? { "www-authenticate": "Bearer" } : {});
  }
  const packing = request.headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (known === undefined || (packing !== "gzip" && packing !== "identity")) {
    const accepts = "Send application/json or application/x-protobuf, as it is or with content-encoding gzip";
    return refused(415, encoding, `${accepts}; not ${JSON.stringify(type)} with ${JSON.stringify(packing)}.`);
  }
  const body = await readBody(request, packing === "gzip");
  if (!body.ok) {
    return body.why === "too-large"
      ? refused(413, encoding, TOO_LARGE)
      : refused(400, encoding, "The body is not in gzip format, as its content-encoding says.");
  }
  if (isCrowded(body.bytes, encoding)) return refused(413, encoding, TOO_LARGE);
  const read = parseExport(body.bytes, encoding);
  if (!read.ok) return refused(400, encoding, read.message);
  try {
    const rejected = await storeSpans(env, job, read.batch);
    rejected.addAll(read.rejected.count, read.rejected.reasons);
    return accepted(encoding, rejected);
  } catch (error) {
    console.error(error);
    // The one status that lets an exporter send the same again, which changes nothing that was stored.
    return refused(503, encoding, "The spans could not be stored. Send them again.");
  }
}

function parseExport(bytes: Uint8Array, encoding: Encoding): ReturnType<typeof readExport> {
  let body: unknown;
  try {
    body =
      encoding === "json"
        ? JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes))
        : decodeRequest(bytes);
  } catch (error) {
    // Bad UTF-8, syntax or wire format: all of them the sender's to repair.
    const format = encoding === "json" ? "JSON in UTF-8" : "an ExportTraceServiceRequest in protobuf";
    return { ok: false, message: `The body is not ${format}: ${String(error)}` };
  }
  return readExport(body, Date.now());
}
