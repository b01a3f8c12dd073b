// A plan that Cloudflare would refuse is refused before, in words; what may become too much is said.
import { describe, expect, test } from "vitest";

import { type AccountFacts, checkLimits, type Finding } from "#jobs/plan/cloudflare/check-limits.ts";
import { LIMITS } from "#jobs/plan/cloudflare/limits.ts";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { planJob } from "#jobs/plan/plan.ts";

import { jobWith } from "../support.ts";
import { hubOf, plannedAgents, plannedJob } from "./planned.ts";

/** Without what Workers Free says of long turns, which most jobs have. */
function found(plan: Plan, facts: AccountFacts = { moduleBytes: {} }): Finding[] {
  return checkLimits(plan, facts).filter(({ message }) => !message.includes("subrequests"));
}

function words(findings: readonly Finding[]): string[] {
  return findings.map(({ kind, message, hint }) => `${kind}: ${message} | ${hint}`);
}

test("a small job keeps within all limits", () => {
  expect(found(plannedAgents(4, hubOf(4)))).toEqual([]);
});

test("a job without agents on Cloudflare has no limits of Cloudflare", () => {
  const plan = planJob(jobWith("{ type: hub-spoke, hub: a, spokes: [b, c, d] }"), {
    hasAnthropicKey: false,
    ports: {},
    objects: {},
  });
  expect(checkLimits(plan, { moduleBytes: { searcher: 1e9 } })).toEqual([]);
});

test("a Worker's name is a label of its address: 63 characters", () => {
  const job = (name: string) => plannedJob(`name: ${name}\nagents: [{ id: searcher }]\ntopology: { type: mesh }\n`);
  // troupe-<46>-searcher
  expect(found(job("a".repeat(47)))).toEqual([]);
  expect(words(found(job("a".repeat(48))))).toEqual([
    `refused: The Worker of searcher would be named troupe-${"a".repeat(48)}-searcher, which has 64 characters; its address takes 63. | Shorten the names of the job and the agent by 1 characters.`,
  ]);
});

describe("an account", () => {
  const plan = plannedAgents(2, hubOf(2));
  const other = (otherWorkers: number) => words(found(plan, { moduleBytes: {}, otherWorkers }));

  test("has 100 Workers on the free plan, and 500 on the paid one", () => {
    expect(other(98)).toEqual([]);
    expect(other(99)).toEqual([
      "warning: With this job the account has 101 Workers, and 100 are allowed on Workers Free. | Use the plan Workers Paid.",
    ]);
    expect(other(498)).toHaveLength(1);
    expect(other(499)).toEqual([
      "refused: With this job the account has 501 Workers, and 500 are allowed. | Delete Workers that nobody needs, or split the job over accounts.",
    ]);
  });

  test("has 100 classes of objects on the free plan, and 500 on the paid one", () => {
    const classes = (agents: number) =>
      words(found(plannedAgents(agents, hubOf(agents)))).filter((text) => text.includes("classes"));
    // Three of each agent, and four of the control plane.
    expect(classes(32)).toEqual([]);
    expect(classes(33)[0]).toContain("warning: This job and the control plane have 103 classes of objects");
    expect(classes(165)[0]).toContain("warning");
    expect(classes(166)[0]).toContain("refused: This job and the control plane have 502 classes of objects");
  });
});

describe("variables", () => {
  const withVariables = (count: number, value = "v") => {
    const variables = Array.from({ length: count }, (_, at) => `V${at}: "${value}"`).join(", ");
    return words(found(plannedAgents(1, "{ type: mesh }", { job: `environment: { ${variables} }\n` })));
  };

  test("of a Worker are 64 on the free plan and 128 on the paid one, secrets and Troupe's own among them", () => {
    // AGENT, three secrets and the owner.
    expect(withVariables(59)).toEqual([]);
    expect(withVariables(60)).toEqual([
      "warning: The Worker of agent_1 has 65 variables, and 64 are allowed on Workers Free. | Use the plan Workers Paid.",
    ]);
    expect(withVariables(124)[0]).toContain("refused: The Worker of agent_1 has 129 variables, and 128 are allowed.");
  });

  test("hold 5,000 bytes each", () => {
    expect(withVariables(1, "v".repeat(5_000))).toEqual([]);
    // Two bytes each.
    expect(withVariables(1, "é".repeat(2_501))).toEqual([
      "refused: The variable V0 of agent_1 has 5002 bytes, and 5000 are allowed. | Shorten it, or put the text into a document or into the agent's code.",
    ]);
  });

  test("hold the config of an agent with many peers in parts, so it is not refused", () => {
    expect(words(found(plannedAgents(60))).filter((text) => text.includes("variable"))).toEqual([]);
  });
});

describe("addresses", () => {
  const refusal = (agent: string, origin: string) =>
    `refused: The agent ${agent} needs ${origin}, which is a private address: a Worker on Cloudflare cannot reach it. | Give it a public address, or let the agent run on this machine or on a host.`;

  test("in an agent's settings are public", () => {
    const settings = (url: string) =>
      words(found(plannedAgents(1, "{ type: mesh }", { agent: `, config: { search: { url: "${url}/x" } }` })));
    expect(settings("https://search.example")).toEqual([]);
    expect(settings("http://127.0.0.1:8888")).toEqual([refusal("agent_1", "http://127.0.0.1:8888")]);
    expect(settings("http://10.0.0.7")).toEqual([refusal("agent_1", "http://10.0.0.7")]);
    expect(settings("http://localhost:9")).toEqual([refusal("agent_1", "http://localhost:9")]);
  });

  test("that push notifications go to are public", () => {
    const job = 'push: { allow: ["http://192.168.1.2:9000"] }\n';
    expect(words(found(plannedAgents(1, "{ type: mesh }", { job })))).toEqual([
      refusal("agent_1", "http://192.168.1.2:9000"),
    ]);
  });

  test("of agents of others are public", () => {
    const plan = plannedJob(
      "name: x\nagents: [{ id: searcher }, { id: weather, remote: https://10.1.2.3:4000 }]\ntopology: { type: hub-spoke, hub: searcher, spokes: [weather] }\n",
    );
    expect(words(found(plan))).toEqual([refusal("searcher", "https://10.1.2.3:4000")]);
  });

  test("of the model are public", () => {
    const job = jobWith("{ type: mesh }", "execution: { entry_point: a }");
    const plan = planJob(job, {
      hasAnthropicKey: true,
      anthropicUrl: "http://127.0.0.1:7000",
      ports: {},
      objects: {},
      placement: { target: "cloudflare" },
    });
    expect(words(found(plan))[0]).toBe(refusal("a", "http://127.0.0.1:7000"));
  });

  test("of an agent have no certificate of their own", () => {
    const agent = ", https: { url: https://agent.example, certificate: c.pem, key: k.pem }";
    expect(words(found(plannedAgents(1, "{ type: mesh }", { agent })))).toEqual([
      "refused: The agent agent_1 has an address with a certificate of its own: https://agent.example. | Remove its https: Cloudflare gives each agent an address over HTTPS.",
    ]);
  });
});

test("a module has 64 MiB, and is named once for all its agents", () => {
  const plan = plannedAgents(2, hubOf(2));
  const most = LIMITS.moduleBytes.paid;
  expect(found(plan, { moduleBytes: { searcher: most } })).toEqual([]);
  expect(words(found(plan, { moduleBytes: { searcher: most + 1 } }))).toEqual([
    "refused: The module of searcher has 67108865 bytes, and 67108864 are allowed. | Use fewer or smaller packages, and keep data in documents.",
  ]);
});

test("a question that may set off more than 32 invocations is named, with the agent that asks the most", () => {
  const invocations = (agents: number) =>
    words(found(plannedAgents(agents, hubOf(agents)))).filter((text) => text.includes("invocations"));
  expect(invocations(4)).toEqual([]);
  expect(invocations(30)).toHaveLength(1);
  expect(invocations(30)[0]).toMatch(
    /^warning: A question for which each agent asks each of its peers once has 30 turns and \d+ invocations of Workers, and one request may have 32\. agent_1 asks the most agents: 29\. \|/,
  );
});

test("a turn that may make more than 50 subrequests is named", () => {
  const turn = (maxTurns: number, job = "") =>
    words(
      checkLimits(plannedAgents(1, "{ type: mesh }", { agent: `, budget: { max_turns: ${maxTurns} }`, job }), {
        moduleBytes: {},
      }),
    );
  // A call and two reports of its span.
  expect(turn(16)).toEqual([]);
  expect(turn(17)).toEqual([
    "warning: A turn of agent_1 with all its 17 model calls makes about 51 subrequests; Workers Free allows 50. | Use the plan Workers Paid, or lower budget.max_turns of the agent.",
  ]);
  expect(turn(17, "tracing: false\n")).toEqual([]);
  // A reservation and a settlement more.
  expect(turn(11, "budget: { max_tokens: 1000 }\n")[0]).toContain("about 55 subrequests");
  expect(turn(3_334)[0]).toContain("about 10002 subrequests; one request may make 10000.");
});

test("heartbeats that take more than the free plan has are named, with an interval that does not", () => {
  const beating = (agents: number, heartbeat: string) =>
    words(found(plannedAgents(agents, hubOf(agents), { job: `heartbeat: { interval: ${heartbeat} }\n` })));
  expect(beating(2, "5s")).toEqual([]);
  expect(beating(4, "5s")).toEqual([
    "warning: The heartbeats of 4 agents, one every 5 s, take 145152 requests of objects a day, and Workers Free allows 100000 in all. | Use the plan Workers Paid, or write heartbeat: { interval: 60s }.",
  ]);
  expect(found(plannedAgents(4, hubOf(4)))).toEqual([]);
});
