// Sends one export request to an OpenTelemetry collector, and classifies the answer. Retries belong to forwarding.ts
// and delivery.ts.
import * as z from "zod";
import { readBytes } from "#shared/http/read-body.ts";
import { retryAfterSeconds } from "#shared/http/retry-after.ts";
import { reasonOf } from "#shared/text/reason.ts";
import { CONTENT_TYPE } from "../otlp/export-answer.ts";
import { decodeResponse, encodeRequest } from "../otlp/protobuf.ts";
import type { CollectorSettings } from "./settings.ts";

/**
 * refused: the request is wrong. failed: the collector did not take it; unless `retryable`, a smaller request may help.
 */
export type Outcome =
  | { readonly result: "accepted"; readonly remark: string | undefined }
  | { readonly result: "refused"; readonly message: string }
  | ({ readonly result: "failed"; readonly retryable: boolean } & Failure);

export interface Failure {
  readonly message: string;
  readonly retryAfterMs: number;
}

/** A Fetcher, or globalThis. */
export interface Network {
  fetch(url: string, init: RequestInit): Promise<Response>;
}

/** Statuses that blame the request. */
const REFUSED: ReadonlySet<number> = new Set([400, 413]);
/**
 * Statuses that say nothing about the request (https://opentelemetry.io/docs/specs/otlp/#otlphttp-response). Without
 * 504: like our own timeout, it may mean that the request is too large.
 */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503]);
const MAX_ANSWER_BYTES = 64 * 1024;

const Answer = z.object({
  partialSuccess: z
    .object({ rejectedSpans: z.coerce.number().default(0), errorMessage: z.string().default("") })
    .nullish(),
});

/** `resourceSpans` is OTLP/JSON. Never throws because of the collector. */
export async function sendSpans(
  resourceSpans: string,
  { url, protocol, headers, timeoutMs }: CollectorSettings,
  network: Network,
): Promise<Outcome> {
  const encoding = protocol === "http/json" ? "json" : "protobuf";
  const json = `{"resourceSpans":${resourceSpans}}`;
  let body: string | Uint8Array<ArrayBuffer>;
  try {
    body = encoding === "json" ? json : encodeRequest(json);
  } catch (error) {
    return { result: "refused", message: `it cannot be encoded as protobuf: ${reasonOf(error)}` };
  }
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await network.fetch(url, {
      method: "POST",
      headers: Object.fromEntries([...headers, ["content-type", CONTENT_TYPE[encoding]]]),
      body,
      redirect: "manual",
      signal,
    });
    return await outcomeOf(response);
  } catch (error) {
    // Refused, reset, unreachable or too slow.
    return { result: "failed", message: reasonOf(error), retryAfterMs: 0, retryable: !signal.aborted };
  }
}

async function outcomeOf({ status, ok, headers, body }: Response): Promise<Outcome> {
  const bytes = await readBytes(body, MAX_ANSWER_BYTES);
  const answer = bytes === "too-large" ? new Uint8Array() : bytes;
  if (ok) return { result: "accepted", remark: remarkOf(answer, headers.get("content-type")) };
  const message = `${status} ${readable(answer)}`.trim();
  if (REFUSED.has(status)) return { result: "refused", message };
  const retryAfterMs = (retryAfterSeconds(headers) ?? 0) * 1000;
  return { result: "failed", message, retryAfterMs, retryable: RETRYABLE.has(status) };
}

/** What a collector that accepted the request says about rejected spans. */
function remarkOf(body: Uint8Array, type: string | null): string | undefined {
  try {
    const json: unknown = type?.includes("json") ? JSON.parse(new TextDecoder().decode(body)) : decodeResponse(body);
    const { rejectedSpans = 0, errorMessage = "" } = Answer.parse(json).partialSuccess ?? {};
    return rejectedSpans === 0 && errorMessage === ""
      ? undefined
      : `it rejected ${rejectedSpans} spans: ${errorMessage}`;
  } catch {
    return undefined; // Some collectors answer with other content than the protocol says; the status counts.
  }
}

/** The beginning of a body, which may be text or a binary Status. */
function readable(body: Uint8Array): string {
  return new TextDecoder()
    .decode(body.subarray(0, 500))
    .replace(/[\p{Cc}\uFFFD]+/gu, " ")
    .trim();
}
