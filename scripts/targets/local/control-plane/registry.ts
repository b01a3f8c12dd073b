// The command line's requests to the control plane's registry, made with the job's token.
import * as z from "zod";

import { Agent, AgentPage } from "#shared/control-plane/registry.ts";
import { parseJson } from "#shared/text/parse-json.ts";

import { ownFetch } from "../../../project/own-fetch.ts";
import type { ControlPlane } from "./control-plane.ts";
import { jobToken } from "../state/secrets.ts";

const RegisteredAgent = Agent.pick({ id: true, name: true, url: true, state: true, lastHeartbeat: true });
export type RegisteredAgent = z.infer<typeof RegisteredAgent>;

/** Each agent is read by itself: one that cannot be read hides no other. An older registry sends all agents on one page. */
const Page = AgentPage.extend({ agents: z.array(z.unknown()) });
const MOST_PAGES = 100;
const TIMEOUT_MS = 5_000;

/**
 * The job's agents in the registry, without those that cannot be read; undefined when the registry does not answer
 * properly.
 */
export async function registeredAgents(
  controlPlane: ControlPlane,
  job: string,
): Promise<RegisteredAgent[] | undefined> {
  const agents: RegisteredAgent[] = [];
  let after = "";
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const response = await ask(controlPlane, job, "GET", `/agents?after=${encodeURIComponent(after)}`);
    const page = response?.ok === true ? Page.safeParse(parseJson(await response.text())).data : undefined;
    if (page === undefined) return undefined;
    agents.push(...page.agents.flatMap((agent) => RegisteredAgent.safeParse(agent).data ?? []));
    if (page.next === undefined) break;
    after = page.next;
  }
  return agents;
}

/** Removes agents from the registry. An unknown agent, or a registry that does not answer, is no error. */
export async function unregisterAgents(controlPlane: ControlPlane, job: string, ids: readonly string[]): Promise<void> {
  await Promise.all(
    ids.map(async (id) => {
      const response = await ask(controlPlane, job, "DELETE", `/agents/${encodeURIComponent(id)}`);
      await response?.body?.cancel();
    }),
  );
}

async function ask(
  controlPlane: ControlPlane,
  job: string,
  method: string,
  path: string,
): Promise<Response | undefined> {
  try {
    return await ownFetch(controlPlane.url + path, {
      method,
      headers: { authorization: `Bearer ${jobToken(controlPlane.secret, job)}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    // Refused, reset or silent: the caller decides what that means.
    if (error instanceof TypeError || (error instanceof DOMException && error.name === "TimeoutError"))
      return undefined;
    throw error;
  }
}
