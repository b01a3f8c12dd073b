// Whether the agents of a release know the control plane and reach one another: over the real ways, without a model and without a task.
import { setTimeout as delay } from "node:timers/promises";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { Neighbours, NEIGHBOURS_PATH } from "#shared/control-plane/neighbours.ts";
import { parseJson } from "#shared/text/parse-json.ts";
import { reasonOf } from "#shared/text/reason.ts";
import { CliError } from "../../terminal/cli-error.ts";
import type { ControlPlane } from "../local/control-plane/control-plane.ts";
import { registeredAgents } from "../local/control-plane/registry.ts";
import { signedFor } from "../local/state/command-line.ts";
import type { JobSecrets } from "../local/state/secrets.ts";
import { forwardingFetch } from "./forwarding-fetch.ts";

const GREET_MS = 20_000;
const POLL_MS = 50;

export interface EdgesCheck {
  readonly plan: Plan;
  readonly controlPlane: ControlPlane;
  readonly secrets: JobSecrets;
  readonly signal: AbortSignal;
}

/** Throws CliError with all that is not so. */
export async function checkEdges(check: EdgesCheck): Promise<void> {
  const [unregistered, ...unreached] = await Promise.all([
    untilRegistered(check),
    ...check.plan.agents.map(async (agent) => unreachedBy(check, agent)),
  ]);
  const findings = [
    ...unregistered.map((id) => `The agent ${id} did not register at the control plane.`),
    ...unreached.flat(),
  ];
  if (findings.length === 0) return;
  throw new CliError(
    "failed",
    findings.join("\n"),
    "See whether the machines reach each other at the addresses and ports that the plan names (firewalls).",
  );
}

/** The agents that have not registered when the time for a start is over. */
async function untilRegistered({ plan, controlPlane, signal }: EdgesCheck): Promise<string[]> {
  const until = Date.now() + plan.health.timeoutMs;
  for (;;) {
    const alive = await registeredAgents(controlPlane, plan.job);
    const known = new Set(alive?.flatMap(({ id, state }) => (state === "alive" ? [id] : [])));
    const missing = plan.agents.map(({ id }) => id).filter((id) => !known.has(id));
    if (missing.length === 0 || Date.now() > until) return missing;
    await delay(POLL_MS, undefined, { signal });
  }
}

async function unreachedBy(
  { plan, secrets, signal }: EdgesCheck,
  { id, url }: Plan["agents"][number],
): Promise<string[]> {
  try {
    const signing = signedFor(plan, secrets, url, forwardingFetch(plan, signal));
    const limit = AbortSignal.any([signal, AbortSignal.timeout(GREET_MS)]);
    const response = await signing(url + NEIGHBOURS_PATH, { method: "POST", signal: limit });
    const text = await response.text();
    const { data } = Neighbours.safeParse(parseJson(text));
    if (data === undefined) return [`The agent ${id} does not take this command line's token (${response.status}).`];
    return data.neighbours.flatMap(({ id: other, failure }) =>
      failure === undefined ? [] : [`The agent ${id} cannot ask ${other}: ${failure}.`],
    );
  } catch (error) {
    signal.throwIfAborted();
    return [`The agent ${id} does not answer: ${reasonOf(error)}.`];
  }
}
