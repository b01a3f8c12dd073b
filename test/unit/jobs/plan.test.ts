// What a plan holds: bindings along the edges and no others, secrets by name, models, ports, stages.
import { describe, expect, test } from "vitest";

import { AgentConfig } from "#shared/agent/config.ts";
import type { RemoteCard } from "#shared/a2a/remote/card.ts";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { planJob } from "#jobs/plan/plan.ts";

import { jobOf, jobWith } from "./support.ts";

const ENVIRONMENT = {
  hasAnthropicKey: false,
  ports: { a: 9001, b: 9002 },
  objects: { searcher: ["Session", "SessionIndex", "Beacon", "Corpus"] },
};
const HUB = "{ type: hub-spoke, hub: a, spokes: [b, c, d] }";

function bindingNames(plan: Plan, id: string, prefix: string): string[] {
  const bindings = plan.agents.find((agent) => agent.id === id)?.bindings ?? [];
  return bindings.map(({ name }) => name).filter((name) => name.startsWith(prefix));
}

function configOf(plan: Plan, id: string): AgentConfig {
  const binding = plan.agents.find((agent) => agent.id === id)?.bindings.find(({ name }) => name === "AGENT");
  return AgentConfig.parse(binding?.type === "json" ? binding.value : undefined);
}

describe("bindings", () => {
  const plan = planJob(jobWith(HUB), ENVIRONMENT);

  test("an agent is bound to the peers its edges lead to, and to no other", () => {
    expect(bindingNames(plan, "a", "PEER_")).toEqual(["PEER_B", "PEER_C", "PEER_D"]);
    expect(bindingNames(plan, "b", "PEER_")).toEqual([]);
    expect(configOf(plan, "a").peers).toEqual([
      { id: "b", binding: "PEER_B" },
      { id: "c", binding: "PEER_C" },
      { id: "d", binding: "PEER_D" },
    ]);
  });
  test("only agents of a dynamic topology are bound to the network", () => {
    expect(bindingNames(plan, "a", "NETWORK")).toEqual([]);
    const dynamic = planJob(jobWith("{ type: dynamic }", "execution: { entry_point: a }"), ENVIRONMENT);
    expect(bindingNames(dynamic, "d", "NETWORK")).toEqual(["NETWORK"]);
    expect(configOf(dynamic, "d").topology).toBe("dynamic");
  });
  test("an object is bound under its class's name in capitals", () => {
    expect(bindingNames(plan, "b", "")).toEqual(
      expect.arrayContaining(["SESSION", "SESSION_INDEX", "BEACON", "CORPUS"]),
    );
  });
});

describe("addresses that push notifications may go to", () => {
  const text = `name: x
agents: [{ id: a, worker: searcher, config: { search: { url: "http://127.0.0.1:8888/s" } } }, { id: b, worker: searcher }]
topology: { type: hub-spoke, hub: a, spokes: [b] }
push: { allow: ["http://127.0.0.1:9000", "https://hooks.example"] }
`;
  const plan = planJob(jobOf(text), ENVIRONMENT);

  test("every agent knows them and has a binding to each; that of an agent's own settings is not among them", () => {
    for (const id of ["a", "b"])
      expect(configOf(plan, id).pushAllow).toEqual(["http://127.0.0.1:9000", "https://hooks.example"]);
    expect(bindingNames(plan, "b", "REACH_")).toHaveLength(2);
    expect(bindingNames(plan, "a", "REACH_")).toHaveLength(3);
  });
});

describe("signing keys", () => {
  const publicKeys = { a: "A", b: "B", c: "C", d: "D", "command-line": "L" };
  const callers = (topology: string, id: string) =>
    configOf(planJob(jobWith(topology, "execution: { entry_point: a }"), { ...ENVIRONMENT, publicKeys }), id).callers;

  test("an agent believes those that may ask it, itself and the command line", () => {
    expect(callers(HUB, "a")).toEqual([
      { id: "a", key: "A" },
      { id: "command-line", key: "L" },
    ]);
    expect(callers(HUB, "b").map(({ id }) => id)).toEqual(["a", "b", "command-line"]);
    expect(callers("{ type: dynamic }", "d").map(({ id }) => id)).toEqual(["a", "b", "c", "d", "command-line"]);
  });
  test("an agent gets its own private key, and nobody else's", () => {
    const plan = planJob(jobWith(HUB), { ...ENVIRONMENT, publicKeys });
    for (const { id, bindings } of plan.agents) {
      const keys = bindings.flatMap((binding) =>
        binding.type === "secret" && binding.source.from === "signing-key" ? binding.source.agent : [],
      );
      expect(keys).toEqual([id]);
    }
  });
});

test("on this machine a key is needed only where the job says so", () => {
  const accounts = (more: string) => configOf(planJob(jobWith(HUB, more), ENVIRONMENT), "a").accounts;
  expect([accounts(""), accounts("accounts: optional"), accounts("accounts: required")]).toEqual([
    "optional",
    "optional",
    "required",
  ]);
});

test("sessions expire only where the job says so", () => {
  const expiry = (more: string) => configOf(planJob(jobWith(HUB, more), ENVIRONMENT), "a").sessionExpireMs;
  expect([expiry(""), expiry("sessions: { expire: 30d }")]).toEqual([undefined, 30 * 86_400_000]);
});

describe("sockets", () => {
  test("a port that the job names wins over one that was chosen", () => {
    const job = jobOf("name: x\nagents: [{ id: a, worker: searcher, port: 8123 }]\ntopology: { type: mesh }\n");
    expect(planJob(job, ENVIRONMENT).agents[0]?.url).toBe("http://127.0.0.1:8123");
  });
  test("port 0 becomes the port chosen for the agent", () => {
    expect(configOf(planJob(jobWith(HUB), ENVIRONMENT), "b").url).toBe("http://127.0.0.1:9002");
  });
});

describe("secrets", () => {
  const text = `name: x
agents: [{ id: a, worker: searcher, env: { KEY: "\${MY_KEY}", LEVEL: info } }]
topology: { type: mesh }
environment: { KEY: "\${JOB_KEY}", HOST: "https://\${JOB_HOST}/" }
`;
  const plan = planJob(jobOf(text, ["MY_KEY", "JOB_KEY", "JOB_HOST"]), ENVIRONMENT);

  test("the plan names the variables it needs, an agent's own over the job's", () => {
    expect(plan.secrets).toEqual(["JOB_HOST", "MY_KEY"]);
  });
  test("text without a variable is no secret", () => {
    expect(plan.agents[0]?.bindings).toContainEqual({ type: "text", name: "LEVEL", value: "info" });
  });
  test("two agents may give one name different values", () => {
    const variables = plan.agents[0]?.bindings.filter(({ name }) => name === "KEY");
    expect(variables).toEqual([
      {
        type: "secret",
        name: "KEY",
        variable: "A__KEY",
        source: { from: "template", template: "${MY_KEY}" },
      },
    ]);
  });
});

describe("models", () => {
  test("without a key the model is offline, at 20 ms to the first token", () => {
    expect(configOf(planJob(jobWith(HUB), ENVIRONMENT), "a").model).toEqual({
      provider: "offline",
      name: "offline",
      maxTokens: 8192,
      contextTokens: 200_000,
      price: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
      baseUrl: "http://offline-model",
      offline: { ttftMs: 20, tokensPerSecond: 0, fault: null },
    });
  });
  test("with a key it is Claude, and the key a secret of every agent", () => {
    const plan = planJob(jobWith(HUB), { ...ENVIRONMENT, hasAnthropicKey: true });
    expect(configOf(plan, "a").model).toMatchObject({
      provider: "anthropic",
      name: "claude-sonnet-5-5",
    });
    expect(plan.secrets).toEqual(["ANTHROPIC_API_KEY"]);
  });
  test.each([
    ["claude-sonnet-5-5", 10],
    ["claude-haiku-4-5-20251001", 5],
    ["claude-of-tomorrow", undefined],
  ])("the price of %s is known, or left out", (name, output) => {
    const job = jobWith(HUB, `model: { provider: anthropic, name: ${name} }`);
    expect(configOf(planJob(job, ENVIRONMENT), "a").model.price?.output).toBe(output);
  });
  test("a price in the job file stands before the known one", () => {
    const job = jobWith(HUB, "model: { provider: anthropic, price: { input: 1, output: 7 } }");
    const price = { input: 1, output: 7, cacheRead: 1, cacheWrite: 1.25, webSearch: 10_000 };
    expect(configOf(planJob(job, ENVIRONMENT), "a").model.price).toEqual(price);
  });
  test("a price counts offline too, so that budgets in dollars can be tried; without one the offline model is free", () => {
    const priced = jobWith(HUB, "model: { provider: offline, price: { input: 1, output: 7 } }");
    expect(configOf(planJob(priced, ENVIRONMENT), "a").model.price).toMatchObject({ input: 1, output: 7 });
    const free = jobWith(HUB, "model: { provider: offline }");
    expect(configOf(planJob(free, ENVIRONMENT), "a").model.price).toMatchObject({ input: 0, output: 0 });
  });
  test("an agent with a model of its own does not take the job's price for it", () => {
    const job = jobOf(`name: x
agents: [{ id: a, worker: searcher, model: { name: claude-haiku-4-5 } }, { id: b, worker: searcher, model: { name: other } }]
topology: { type: mesh }
model: { provider: anthropic, name: mine, price: { input: 1, output: 7 } }
execution: { entry_point: a }
`);
    const plan = planJob(job, ENVIRONMENT);
    expect([configOf(plan, "a").model.price?.output, configOf(plan, "b").model.price]).toEqual([5, undefined]);
  });
  test("an agent changes only the fields it names", () => {
    const job = jobOf(`name: x
agents: [{ id: a, worker: searcher, model: { offline: { tokens_per_second: 50 } } }]
topology: { type: mesh }
model: { provider: offline, max_tokens: 100, offline: { ttft: 1s, tokens_per_second: 5 } }
`);
    expect(configOf(planJob(job, { ...ENVIRONMENT, hasAnthropicKey: true }), "a").model).toMatchObject({
      provider: "offline",
      maxTokens: 100,
      offline: { ttftMs: 1000, tokensPerSecond: 50 },
    });
  });
});

describe("permissions", () => {
  const planned = (permissions: string) => {
    const text = `name: x\nagents: [{ id: a, worker: searcher, permissions: ${permissions} }]\ntopology: { type: mesh }\n`;
    return configOf(planJob(jobOf(text), ENVIRONMENT), "a").permissions;
  };
  const rules = { mode: "default", allow: null, ask: [], deny: [] };

  test.each([
    ["{}", { ...rules, preset: "full_access" }],
    ["{ ask: [pay] }", { ...rules, preset: "full_access", ask: ["pay"] }],
    ["{ allow: [pay] }", { ...rules, preset: "custom", allow: ["pay"] }],
    ["{ preset: read_only, allow: [pay] }", { ...rules, preset: "read_only", allow: ["pay"] }],
    ["{ mode: plan, deny: [pay] }", { ...rules, preset: "full_access", mode: "plan", deny: ["pay"] }],
  ])("%s: a list of what is allowed makes the preset custom, unless another is named", (text, permissions) => {
    expect(planned(text)).toEqual(permissions);
  });

  test("an agent knows the answers of the policy that are for its tools, values as text, and until when to wait", () => {
    const approvals = `approvals:
  expires: 5m
  policy:
    - { tool: pay, agent: b, decision: allow }
    - { tool: pay, agent: a, input: { to: me, amount: [1, 2], dry: true }, decision: allow }
    - { tool: "*", decision: deny }
`;
    expect(configOf(planJob(jobWith(HUB, approvals), ENVIRONMENT), "a").approvals).toEqual({
      expiresMs: 300_000,
      policy: [
        { tool: "pay", input: { to: ["me"], amount: ["1", "2"], dry: ["true"] }, decision: "allow" },
        { tool: "*", decision: "deny" },
      ],
    });
  });
});

describe("agents of others", () => {
  const card: RemoteCard = {
    interface: { url: "https://w.example/a2a", binding: "JSONRPC", version: "1.0" },
    streaming: true,
    name: "Weather",
    description: "Tells the weather",
    skills: ["Forecasts"],
  };
  const text = (topology: string) => `name: x
agents:
  - { id: a, worker: searcher }
  - { id: b, worker: searcher }
  - { id: weather, remote: "https://w.example", auth: "\${WEATHER_TOKEN}" }
topology: ${topology}
execution: { entry_point: a }
`;
  const planned = (topology: string) =>
    planJob(jobOf(text(topology), ["WEATHER_TOKEN"]), { ...ENVIRONMENT, remotes: { weather: card } });
  const MESH = "{ type: mesh }";
  const peer = {
    id: "weather",
    binding: "PEER_WEATHER",
    remote: { card: "https://w.example/.well-known/agent-card.json", said: card, token: "REMOTE_TOKEN_WEATHER" },
  };

  test("whoever may ask one has a binding to its origin, its token as a secret, and what its card said", () => {
    const plan = planned("{ type: dag, connections: [{ from: a, to: b }, { from: b, to: weather }] }");
    expect(bindingNames(plan, "a", "")).not.toContain("PEER_WEATHER");
    expect(plan.agents.find(({ id }) => id === "b")?.bindings).toEqual(
      expect.arrayContaining([
        { type: "service", name: "PEER_WEATHER", service: { to: "address", origin: "https://w.example" } },
        {
          type: "secret",
          name: "REMOTE_TOKEN_WEATHER",
          variable: "B__REMOTE_TOKEN_WEATHER",
          source: { from: "template", template: "${WEATHER_TOKEN}" },
        },
      ]),
    );
    expect(configOf(plan, "b")).toMatchObject({ peers: [peer], secrets: ["REMOTE_TOKEN_WEATHER"] });
    expect(plan.secrets).toEqual(["WEATHER_TOKEN"]);
    expect(plan.remotes).toEqual([{ id: "weather", url: peer.remote.card, card }]);
  });
  test("it is no agent of the deployment: it has no port, and nobody waits for it", () => {
    const plan = planned("{ type: pipeline, stages: [a, b, weather] }");
    expect(plan.agents.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(plan.stages).toEqual([["a", "b"]]);
    expect(configOf(plan, "a").callers).toEqual([]);
  });
  test("in a mesh it is asked only", () => {
    expect(planned(MESH).edges).toEqual([
      { from: "a", to: "b", via: "binding" },
      { from: "a", to: "weather", via: "https" },
      { from: "b", to: "a", via: "binding" },
      { from: "b", to: "weather", via: "https" },
    ]);
  });
  test("in a dynamic topology every agent may find it", () => {
    const plan = planned("{ type: dynamic }");
    expect(["a", "b"].map((id) => configOf(plan, id).peers)).toEqual([[peer], [peer]]);
  });
  test("in a dynamic topology over hosts the others are reached by bindings: addresses are true on one machine alone", () => {
    const entry = "execution: { entry_point: a }\ndeployment: { target: ssh://h }";
    const [agent] = planJob(jobWith("{ type: dynamic }", entry), ENVIRONMENT).agents;
    const asked = agent?.bindings.flatMap((item) =>
      item.type === "service" && item.service.to === "agent" ? item.service.agent : [],
    );
    expect(asked).toEqual(["b", "c", "d"]);
  });
  test("the only own agent takes the questions", () => {
    const job = jobOf(
      `name: x\nagents: [{ id: w, remote: "https://w.example/x.json" }, { id: a, worker: searcher }]\ntopology: ${MESH}\n`,
    );
    const plan = planJob(job, ENVIRONMENT);
    expect([plan.entryPoint, plan.remotes]).toEqual(["a", [{ id: "w", url: "https://w.example/x.json" }]]);
  });
});

describe("tracing", () => {
  test.each([
    ["", { enabled: true, content: "redacted" }],
    ["content: none", { enabled: true, content: "none" }],
    ["content: full", { enabled: true, content: "full" }],
    ["tracing: false", { enabled: false, content: "redacted" }],
  ])("a local job with %j", (setting, tracing) => {
    expect(configOf(planJob(jobWith(HUB, setting), ENVIRONMENT), "a").tracing).toEqual(tracing);
  });
  test("agents know which of their variables are secret", () => {
    const text = "name: x\nagents: [{ id: a, worker: searcher }]\ntopology: { type: mesh }\n";
    const job = jobOf(`${text}environment: { PLAIN: seen, TOKEN: "\${MY_TOKEN}" }`, ["MY_TOKEN"]);
    expect(configOf(planJob(job, ENVIRONMENT), "a").secrets).toEqual(["TOKEN"]);
  });
});

describe("deployment", () => {
  test.each([
    ["parallel", [["a", "b", "c", "d"]]],
    ["staged", [["b", "c", "d"], ["a"]]],
    ["sequential", [["b"], ["c"], ["d"], ["a"]]],
  ])("%s decides who must be healthy before whom", (strategy, stages) => {
    expect(planJob(jobWith(HUB, `deployment: { strategy: ${strategy} }`), ENVIRONMENT).stages).toEqual(stages);
  });
  test("the lease is three heartbeats", () => {
    const plan = planJob(jobWith(HUB, "heartbeat: { interval: 700ms }"), ENVIRONMENT);
    expect(plan.heartbeat).toEqual({ intervalMs: 700, leaseMs: 2100 });
  });
  test.each([
    ["ssh://me@host", "ssh", "me-host"],
    ["cloudflare", "cloudflare", "cloudflare"],
  ])("a job for %s is planned like any other", (written, target, place) => {
    const [agent] = planJob(jobWith(HUB, `deployment: { target: "${written}" }`), ENVIRONMENT).agents;
    expect(agent).toMatchObject({ target, place });
  });
});
