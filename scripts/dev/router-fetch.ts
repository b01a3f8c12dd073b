// Signed requests to an agent behind the router of `wrangler dev`.
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { signedFor } from "../targets/local/state/command-line.ts";
import type { JobSecrets } from "../targets/local/state/secrets.ts";

/** `fetch` for addresses below `url`, an agent's. The router takes the agent's path away, so what is signed is the rest of it. */
export function routerFetch(plan: Plan, secrets: JobSecrets, url: string, send: typeof fetch = fetch): typeof fetch {
  const signing = signedFor(plan, secrets, url, async (input, init) => send(url + pathOf(input), init));
  return async (input, init) => signing(new URL(pathOf(input).slice(pathOf(url).length), url), init);
}

/** With the query. */
function pathOf(address: string | URL | Request): string {
  const { pathname, search } = new URL(address instanceof Request ? address.url : address);
  return pathname + search;
}
