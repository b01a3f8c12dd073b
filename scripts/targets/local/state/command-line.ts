// The command line as a caller of the agents that it deployed: it signs in the name of the person at this machine.
import { type Plan, type PlannedAgent, publicUrlOf } from "#jobs/plan/plan-shape.ts";
import { AgentConfig } from "#shared/agent/config.ts";
import { COMMAND_LINE, signRequest, type TokenRequest } from "#shared/a2a/peer-token.ts";
import { signingFetch } from "#shared/a2a/signing-fetch.ts";

import { knowOnCloudflare, ownFetch } from "../../../project/own-fetch.ts";
import { jobLayout } from "./layout.ts";
import { readRelease } from "./release.ts";
import { type JobSecrets, readJobSecrets } from "./secrets.ts";
import { readJobState } from "./state.ts";

/**
 * `send`, signing each request to the agent at `url`, also one to the address for others that its card names; without a signature where the
 * agent does not know this command line.
 */
export async function signedFetch(
  home: string,
  job: string,
  url: string,
  send: typeof fetch = ownFetch,
): Promise<typeof fetch> {
  const layout = jobLayout(home, job);
  const [state, secrets] = await Promise.all([readJobState(home, job), readJobSecrets(layout.secrets)]);
  if (state === undefined) return send;
  const plan = await readRelease(layout, state.release);
  knowOnCloudflare(plan.agents.flatMap((agent) => (agent.target === "cloudflare" ? [agent.url] : [])));
  const agent = plan.agents.find((candidate) => candidate.url === url);
  return atKnownAddress(url, agent, secrets === undefined ? send : signedFor(plan, secrets, url, send));
}

function atKnownAddress(url: string, agent: PlannedAgent | undefined, send: typeof fetch): typeof fetch {
  const others = agent && publicUrlOf(agent);
  return async (input, init) => {
    if (input instanceof Request) return send(input, init);
    const { href, pathname, search } = new URL(input);
    const isForOthers = others !== undefined && href.startsWith(`${others}/`);
    return send(url + (isForOthers ? href.slice(others.length) : pathname + search), init);
  };
}

/** The same, for a plan that may not run yet. */
export function signedFor(plan: Plan, { signing }: JobSecrets, url: string, send: typeof fetch): typeof fetch {
  const pair = signing[COMMAND_LINE];
  const agent = plan.agents.find((candidate) => candidate.url === url);
  const binding = agent?.bindings.find(({ name }) => name === "AGENT");
  const config = Pinned.safeParse(binding?.type === "json" ? binding.value : undefined).data;
  if (pair === undefined || config?.callers.find(({ id }) => id === COMMAND_LINE)?.key !== pair.public) return send;
  const mandate = { from: COMMAND_LINE, to: config.id, job: plan.job, principal: "local", chain: [] };
  return signingFetch(send, (request: TokenRequest) => signRequest(pair.private, mandate, request));
}

/** A release of an older version pins nobody. */
const Pinned = AgentConfig.pick({ id: true, callers: true });
