// One export request to an OpenTelemetry collector, and what became of it. Whether and when to try again is decided elsewhere.
import * as z from "zod";
import { readBytes } from "#shared/http/read-json.ts";
import { reasonOf } from "#shared/tracing/reason.ts";
import { CONTENT_TYPE } from "./export-answer.ts";
import { decodeResponse, encodeRequest } from "./protobuf.ts";
import type { CollectorSettings } from "./settings.ts";

/** refused: something in the request is wrong. failed: the collector cannot take it now. */
export type Outcome =
  | { readonly result: "accepted"; readonly remark: string | undefined }
  | { readonly result: "refused"; readonly message: string }
  | { readonly result: "failed"; readonly message: string; readonly retryAfterMs: number };

/** Statuses of a request that a smaller one may avoid. */
const REFUSED: ReadonlySet<number> = new Set([400, 413]);
const MAX_ANSWER_BYTES = 64 * 1024;

const Answer = z.object({
  partialSuccess: z
    .object({ rejectedSpans: z.coerce.number().default(0), errorMessage: z.string().default("") })
    .nullish(),
});

/** `resourceSpans` is OTLP/JSON. Never throws for what the collector does. */
export async function sendSpans(
  resourceSpans: string,
  { url, protocol, headers, timeoutMs }: CollectorSettings,
  network: Pick<Fetcher, "fetch">,
): Promise<Outcome> {
  const encoding = protocol === "http/json" ? "json" : "protobuf";
  const json = `{"resourceSpans":${resourceSpans}}`;
  try {
    const response = await network.fetch(url, {
      method: "POST",
      headers: [...headers, ["content-type", CONTENT_TYPE[encoding]]],
      body: encoding === "json" ? json : encodeRequest(json),
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    const bytes = await readBytes(response.body, MAX_ANSWER_BYTES);
    const body = bytes === "too-large" ? new Uint8Array() : bytes;
    if (response.ok) return { result: "accepted", remark: remarkOf(body, response.headers.get("content-type")) };
    const message = `${response.status} ${readable(body)}`.trim();
    if (REFUSED.has(response.status)) return { result: "refused", message };
    return { result: "failed", message, retryAfterMs: retryAfter(response.headers.get("retry-after")) };
  } catch (error) {
    // Refused, reset, unreachable or too slow.
    return { result: "failed", message: reasonOf(error), retryAfterMs: 0 };
  }
}

/** What a collector that took the request says about spans that it did not take. */
function remarkOf(body: Uint8Array, type: string | null): string | undefined {
  try {
    const json: unknown = type?.includes("json") ? JSON.parse(new TextDecoder().decode(body)) : decodeResponse(body);
    const { rejectedSpans = 0, errorMessage = "" } = Answer.parse(json).partialSuccess ?? {};
    return rejectedSpans === 0 && errorMessage === ""
      ? undefined
      : `it rejected ${rejectedSpans} spans: ${errorMessage}`;
  } catch {
    return undefined; // some answer with other things than the protocol says; the status counts
  }
}

/** Seconds or a date. */
function retryAfter(header: string | null): number {
  if (header === null) return 0;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

/** The beginning of a body that may be text or a binary Status. */
function readable(body: Uint8Array): string {
  return new TextDecoder()
    .decode(body.subarray(0, 500))
    .replace(/[\p{Cc}\uFFFD]+/gu, " ")
    .trim();
}
