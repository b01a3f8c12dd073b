// What a person types to use a job that runs under `wrangler dev`. Pure.
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { troupe, word } from "../terminal/hint.ts";
import { table } from "../terminal/io.ts";

interface Where {
  /** Of the router. */
  readonly origin: string;
  /** Path of the file that holds the job's token, as typed. */
  readonly token: string;
}

export function describeAddresses(
  { agents, entryPoint }: Pick<Plan, "agents" | "entryPoint">,
  { origin, token }: Where,
): string {
  const entry = `${origin}/agents/${entryPoint}/`;
  return [
    table(agents.map(({ id, url }) => [id, `${url}/.well-known/agent-card.json`])),
    "",
    "Ask it, in another terminal:",
    `  ${troupe`query ${entry} "`}…"`,
    `  ${troupe`chat ${entry}`}`,
    "Read its traces:",
    `  curl -H "authorization: Bearer $(cat ${word(token)})" ${origin}/control-plane/v1/traces`,
    "",
    "A saved source is built again. Ctrl-C ends all.",
  ].join("\n");
}
