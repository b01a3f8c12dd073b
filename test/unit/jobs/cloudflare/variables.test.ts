// The config of an agent fits into Cloudflare's variables, whatever it holds.
import { describe, expect, test } from "vitest";

import { bytesOf, variablesOf } from "#jobs/plan/cloudflare/variables.ts";
import { AgentConfig, configIn } from "#shared/agent/config.ts";

import { hubOf, plannedAgents } from "./planned.ts";

function variables(plan: ReturnType<typeof plannedAgents>): Record<string, unknown> {
  return variablesOf(plan.agents[0]?.bindings ?? []);
}

describe("the config of an agent", () => {
  test("is one variable as long as that is large enough", () => {
    const plan = plannedAgents(4, hubOf(4));
    expect(Object.keys(variables(plan))).toEqual(["AGENT"]);
    expect(configIn(variables(plan))).toEqual(variables(plan)["AGENT"]);
  });

  test("of a mesh of 30 agents is in parts of 5,000 bytes at most, which the agent joins", () => {
    const plan = plannedAgents(30);
    const parts = variables(plan);
    expect(Object.keys(parts)).toEqual(["AGENT_1", "AGENT_2"]);
    for (const part of Object.values(parts)) expect(bytesOf(part)).toBeLessThanOrEqual(5_000);
    const config = AgentConfig.parse(configIn(parts));
    expect(config.peers).toHaveLength(29);
  });

  test("keeps every character where it is cut", () => {
    const text = "é🎭".repeat(3_000);
    const plan = plannedAgents(1, "{ type: mesh }", { agent: `, config: { text: "${text}" }` });
    const parts = variables(plan);
    for (const part of Object.values(parts)) expect(bytesOf(part)).toBeLessThanOrEqual(5_000);
    expect(AgentConfig.parse(configIn(parts)).config).toEqual({ text });
  });
});

test("without a variable there is no config", () => {
  expect(configIn({})).toBeUndefined();
});
