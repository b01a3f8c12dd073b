// What `troupe plan` says about processes.
import { expect, test } from "vitest";
import { planJob } from "#jobs/plan/plan.ts";
import { describePlan } from "../../../../scripts/jobs/show-plan.ts";
import { jobOf } from "../../jobs/support.ts";

function planned(isolation: string, agents: readonly string[]): string {
  const list = agents.map((id) => `{ id: ${id}, worker: searcher }`).join(", ");
  const topology = `{ type: mesh }\nexecution: { entry_point: ${agents[0]} }`;
  const job = jobOf(`name: x\nagents: [${list}]\ntopology: ${topology}\nisolation: ${isolation}\n`);
  return describePlan(planJob(job, { hasAnthropicKey: false, ports: {}, objects: {} }));
}

test("a plan says whose event loop a tool that computes for long holds", () => {
  expect(planned("job", ["a", "b"])).toContain(
    "Processes one for all agents: a tool that computes for long holds up all of them",
  );
  expect(planned("agent", ["a", "b"])).toContain("Processes 2, one for each agent");
  expect(planned("job", ["a"])).toMatch(/^Processes one$/m);
});

test("a plan names an agent's own listener by no address", () => {
  expect(planned("job", ["a"])).toContain("SELF → its own listener");
});
