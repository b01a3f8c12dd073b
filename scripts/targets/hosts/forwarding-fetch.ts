// `fetch` to agents on hosts: each is known as `http://127.0.0.1:<port>`, which is true on its own machine alone.
import { placeOf } from "#jobs/placement/place.ts";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { ownFetch } from "../../project/own-fetch.ts";
import { forget, reach } from "./reach.ts";

/** `fetch` by the addresses of the plan. Other addresses are fetched as they are. */
export function forwardingFetch(plan: Plan, signal = new AbortController().signal): typeof fetch {
  const agents = new Map(plan.agents.map((agent) => [agent.url, agent]));
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const agent = agents.get(url.origin);
    if (agent === undefined) return fetch(input, init);
    const place = placeOf(plan, agent.place);
    if (place.kind === "cloudflare") return ownFetch(input, init);
    const origin = await reach(place, agent.socket.port, signal);
    const here = origin + url.pathname + url.search;
    try {
      return await fetch(input instanceof Request ? new Request(here, input) : here, init);
    } catch (error) {
      // The next request connects again.
      if (error instanceof TypeError) forget(place);
      throw error;
    }
  };
}
