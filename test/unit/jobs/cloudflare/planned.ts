// Plans of jobs on Cloudflare, for the tests beside this file.
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { planJob } from "#jobs/plan/plan.ts";

import { jobOf } from "../support.ts";

const OBJECTS = ["Beacon", "Session", "SessionIndex"];
/** As long as a real key. */
const KEY = "k".repeat(43);

export function plannedJob(text: string, variables: readonly string[] = []): Plan {
  const job = jobOf(text, variables);
  const publicKeys = Object.fromEntries([...job.agents.map(({ id }) => id), "command-line"].map((id) => [id, KEY]));
  return planJob(job, {
    hasAnthropicKey: false,
    ports: {},
    objects: { searcher: OBJECTS },
    placement: { target: "cloudflare" },
    publicKeys,
  });
}

/** Agents `agent_1`, `agent_2` and so on. `topology` is one line of YAML; `agent` are more fields of each. */
export function plannedAgents(
  count: number,
  topology = "{ type: mesh }",
  { agent = "", job = "" }: { readonly agent?: string; readonly job?: string } = {},
): Plan {
  const agents = idsOf(count).map((id) => `  - { id: ${id}, worker: searcher${agent} }`);
  const entry = /mesh|dynamic/.test(topology) ? "execution: { entry_point: agent_1 }\n" : "";
  return plannedJob(`name: x\nagents:\n${agents.join("\n")}\ntopology: ${topology}\n${entry}${job}`);
}

function idsOf(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `agent_${at + 1}`);
}

export function hubOf(count: number): string {
  const [hub, ...spokes] = idsOf(count);
  return `{ type: hub-spoke, hub: ${hub}, spokes: [${spokes.join(", ")}] }`;
}
