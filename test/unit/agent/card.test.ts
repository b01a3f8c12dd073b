import { expect, test } from "vitest";
import { agentCard } from "#shared/agent/card.ts";
import { AgentConfig } from "#shared/agent/config.ts";
import { systemPrompt } from "#shared/agent/session/turns/prompt.ts";
import { planJob } from "#jobs/plan/plan.ts";
import { jobOf } from "../jobs/support.ts";

const definition = {
  name: "Worker's own",
  description: "What it says of itself",
  instructions: "",
  skills: [],
  tools: [],
};

function cardOf(agent: string) {
  const job = jobOf(`name: x\nagents: [{ id: a, worker: searcher, port: 8123, ${agent} }]\ntopology: { type: mesh }\n`);
  const plan = planJob(job, { hasAnthropicKey: false, ports: {}, objects: {} });
  const binding = plan.agents[0]?.bindings.find(({ name }) => name === "AGENT");
  return agentCard(definition, AgentConfig.parse(binding?.type === "json" ? binding.value : undefined));
}

test("the job's name and description of an agent go into its card, over the Worker's own", () => {
  expect(cardOf("name: Scout, description: Looks ahead")).toMatchObject({ name: "Scout", description: "Looks ahead" });
  expect(cardOf("config: {}")).toMatchObject({ name: "Worker's own", description: "What it says of itself" });
});

test("the system prompt names the agent that asks, and nobody when a person does", () => {
  expect(systemPrompt("Do it.", "coordinator")).toContain('You were asked by the agent "coordinator".');
  expect(systemPrompt("Do it.", undefined)).not.toContain("You were asked by");
});
