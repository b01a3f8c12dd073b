// The models of a job's agents and their prices, as a conversation shows them.
import type { Plan } from "#jobs/plan/plan-shape.ts";

import { table } from "../terminal/io.ts";
import { configOf } from "./show-permissions.ts";

/** A row for each agent; prices in US dollars per million tokens. */
export function showModels({ agents }: Plan): string {
  const rows = agents.map((agent) => {
    const { provider, name, price, contextTokens } = configOf(agent).model;
    const perMillion = price === undefined ? "not known" : `$${price.input} in, $${price.output} out`;
    return [agent.id, provider === name ? name : `${provider} ${name}`, contextTokens.toLocaleString("en"), perMillion];
  });
  return table([["AGENT", "MODEL", "CONTEXT", "PER MILLION TOKENS"], ...rows], new Set([2]));
}
