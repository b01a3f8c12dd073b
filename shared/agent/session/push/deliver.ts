// One attempt to deliver an event (A2A 1.0, section 4.3.3), and what follows from its answer. Follows no redirect, reads no body.
import { A2A_CONTENT_TYPE } from "@a2a-js/sdk";
import { reach } from "../../../http/reach.ts";
import { retryAfterSeconds } from "../../../http/retry-after.ts";
import { reasonOf } from "../../../text/reason.ts";
import { flawOf } from "./check-config.ts";
import type { NextEvent } from "./push-store.ts";

/** How long the receiver may take to answer. */
export const ATTEMPT_MS = 10_000;

/** `again`: a later attempt may succeed. */
export type Outcome =
  | { readonly is: "delivered" }
  | { readonly is: "refused"; readonly why: string }
  | { readonly is: "again"; readonly why: string; readonly afterMs?: number };

/** Never throws. `allowed`: origins that the operator allowed, each with a binding in `env`. */
export async function deliver(
  { config, body }: Pick<NextEvent, "config" | "body">,
  env: object,
  allowed: readonly string[],
  signal: AbortSignal,
): Promise<Outcome> {
  const { url, token, scheme, credentials, isLegacy } = config;
  // The operator may have withdrawn an address since.
  const flaw = flawOf(url, allowed);
  if (flaw !== undefined) return { is: "refused", why: `its url ${flaw}` };
  const headers = new Headers({ "content-type": isLegacy ? "application/json" : A2A_CONTENT_TYPE });
  // The specification names no header for it. The SDKs for Python and JavaScript read the first, that for Go the second.
  for (const name of ["x-a2a-notification-token", "a2a-notification-token"]) if (token !== "") headers.set(name, token);
  if (credentials !== "") headers.set("authorization", `${scheme} ${credentials}`);
  // An address in the agent's settings has a binding, too, but is not allowed for this.
  const network = allowed.includes(new URL(url).origin) ? reach({ ...env }, url) : globalThis;
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS)]);
    const response = await network.fetch(url, { method: "POST", headers, body, redirect: "manual", signal: limit });
    // A receiver that never ends its answer has taken the event all the same.
    response.body?.cancel().catch(() => {});
    return outcomeOf(response);
  } catch (error) {
    return { is: "again", why: reasonOf(error) };
  }
}

export function outcomeOf({ ok, status, headers }: Pick<Response, "ok" | "status" | "headers">): Outcome {
  if (ok) return { is: "delivered" };
  const why = `it answered ${status}`;
  if (status >= 300 && status < 400) return { is: "refused", why: `${why}, and redirects are not followed` };
  if (status !== 429 && status < 500) return { is: "refused", why };
  const seconds = retryAfterSeconds(headers);
  return { is: "again", why, ...(seconds === undefined ? {} : { afterMs: seconds * 1000 }) };
}
