// The agent's side of the trace store: OTLP/HTTP over the binding to the control plane.
import * as z from "zod";
import { parseJson } from "../../text/parse-json.ts";
import type { AgentEnv } from "../env.ts";
import { log } from "../log.ts";

const LIMIT_MS = 5_000;

const Accepted = z.object({
  partialSuccess: z.optional(z.object({ rejectedSpans: z.coerce.number(), errorMessage: z.string() }).partial()),
});

/** The trace store could not be reached, or could not store the spans now. */
class TraceStoreError extends Error {
  override readonly name = "TraceStoreError";
}

/**
 * Sends one OTLP/JSON request. May be repeated, because the store knows spans by their ids. Throws when the caller should retry. Logs
 * and drops spans that the store refuses for good.
 */
export async function sendSpans(env: AgentEnv, request: Uint8Array<ArrayBuffer>): Promise<void> {
  const response = await env.CONTROL_PLANE.fetch("https://control-plane/v1/traces", {
    method: "POST",
    headers: { Authorization: `Bearer ${env.TROUPE_TOKEN}`, "Content-Type": "application/json" },
    signal: AbortSignal.timeout(LIMIT_MS),
    body: request,
  });
  const text = await response.text();
  if (response.ok) {
    const { partialSuccess } = Accepted.safeParse(parseJson(text)).data ?? {};
    const refused = partialSuccess?.rejectedSpans ?? 0;
    if (refused > 0)
      log(env, "warn", `The trace store refused ${refused} spans: ${partialSuccess?.errorMessage ?? ""}`);
    return;
  }
  const problem = `The trace store answered ${response.status}: ${text.slice(0, 300)}`;
  if (response.status !== 400 && response.status !== 413) throw new TraceStoreError(problem);
  log(env, "error", `${problem}. The spans were dropped.`);
}
