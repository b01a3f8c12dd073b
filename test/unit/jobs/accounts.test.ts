// Who needs a key: nobody on this machine alone, everybody where a job uses a host.
import { expect, test } from "vitest";

import { AgentConfig } from "#shared/agent/config.ts";
import { parseHosts } from "#jobs/placement/hosts.ts";
import { loadJob } from "#jobs/load.ts";
import { planJob } from "#jobs/plan/plan.ts";

const WORKERS = { workers: ["searcher", "summarizer"], variables: new Set<string>() };

function load(more: string) {
  const text = `name: x
agents:
  - { id: searcher, target: local }
  - { id: summarizer }
topology: { type: hub-spoke, hub: searcher, spokes: [summarizer] }
execution: { entry_point: summarizer }
${more}`;
  return loadJob(text, "job.yaml", WORKERS);
}

const messagesOf = (more: string) => {
  const result = load(more);
  return "mistakes" in result ? result.mistakes.map(({ message }) => message) : [];
};

function accountsOf(more: string) {
  const result = load(more);
  if ("mistakes" in result) throw new Error(result.mistakes[0]?.message);
  const placement = { hosts: parseHosts("h1 address=10.0.0.1", "hosts").hosts };
  const plan = planJob(result.job, { hasAnthropicKey: false, ports: {}, objects: {}, placement });
  return plan.agents.map(({ target, bindings }) => {
    const config = bindings.find(({ name }) => name === "AGENT");
    return [target, AgentConfig.parse(config?.type === "json" ? config.value : undefined).accounts];
  });
}

test("accounts cannot be optional where an agent runs on a host", () => {
  expect(messagesOf("accounts: optional\ndeployment: { target: ssh://h1 }")).toEqual([
    'accounts cannot be optional: the agent "summarizer" runs on h1, where other people have accounts',
  ]);
});

test("nor where only the control plane runs on a host", () => {
  expect(messagesOf("accounts: optional\ncontrol_plane: { target: ssh://h1 }")).toEqual([
    "accounts cannot be optional: the control plane runs on h1, where other people have accounts",
  ]);
});

test("on this machine alone they may be", () => {
  expect(messagesOf("accounts: optional")).toEqual([]);
});

test.each(["", "accounts: optional", "accounts: required"])(
  "with a host every agent asks for keys, the one on this machine, too, whatever the file says: %j",
  (more) => {
    expect(accountsOf(more)).toEqual([
      ["local", "required"],
      ["ssh", "required"],
    ]);
  },
);
