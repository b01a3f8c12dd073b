// The text of a workerd configuration: exactly one, and strings that cannot break out of it.
import { expect, test } from "vitest";

import { reachBinding } from "#shared/http/reach.ts";
import { planJob } from "#jobs/plan/plan.ts";
import type { PlannedAgent } from "#jobs/plan/plan-shape.ts";

import { portIn, quote, renderConfig } from "../../../../../../scripts/targets/local/processes/capnp.ts";
import { configOf, onLoopback, processesOf } from "../../../../../../scripts/targets/local/processes/job-config.ts";
import { jobOf } from "../../../../jobs/support.ts";

const SURROUNDINGS = {
  controlPlane: () => onLoopback(7000),
  model: onLoopback(7001),
  peer: (_: string, { socket }: PlannedAgent) => onLoopback(socket.port),
  module: (worker: string) => `releases/1/${worker}.js`,
  machine: "/machine",
  dataFolder: (agent: string) => `/data/${agent}`,
};

function planOf(isolation: string) {
  const job = jobOf(
    `name: x
agents:
  - { id: a, worker: coordinator, port: 9001 }
  - { id: b, worker: searcher, port: 9002, env: { KEY: "\${MY_KEY}" } }
topology: { type: hub-spoke, hub: a, spokes: [b] }
isolation: ${isolation}
`,
    ["MY_KEY"],
  );
  return planJob(job, {
    hasAnthropicKey: false,
    ports: {},
    objects: { coordinator: ["Session"], searcher: ["Session"] },
  });
}

/** An agent's own listener, as a service. */
const listener = (port: number) => ({
  name: `address:http://127.0.0.1:${port}`,
  address: `127.0.0.1:${port}`,
  foreign: {},
});

test("in one process a peer is a service, with a process an agent it is a socket", () => {
  const together = processesOf(planOf("job")).map((process) => configOf(planOf("job"), process, SURROUNDINGS));
  expect(together.map(({ workers, externals }) => [workers.length, externals.map(({ name }) => name)])).toEqual([
    [2, ["control-plane", "offline-model", ...[9001, 9002].map((port) => `address:http://127.0.0.1:${port}`)]],
  ]);
  const apart = processesOf(planOf("agent")).map((process) => configOf(planOf("agent"), process, SURROUNDINGS));
  expect(apart.map(({ workers, externals }) => [workers.length, externals.slice(2)])).toEqual([
    [1, [{ name: "agent-b", address: "127.0.0.1:9002" }, listener(9001)]],
    [1, [listener(9002)]],
  ]);
});

test("an address in an agent's settings becomes a service that leads there and nowhere else", () => {
  const settings =
    'config: { search: { provider: searxng, url: "http://127.0.0.1:8888/x" }, other: ["https://a.example"] }';
  const job = jobOf(`name: x\nagents: [{ id: a, worker: searcher, ${settings} }]\ntopology: { type: mesh }\n`);
  const plan = planJob(job, { hasAnthropicKey: false, ports: {}, objects: {} });
  const [process] = processesOf(plan);
  if (process === undefined) throw new Error("The plan has no process.");
  const { workers, externals } = configOf(plan, process, SURROUNDINGS);
  expect(externals.slice(2)).toEqual([
    { name: "address:http://127.0.0.1:8888", address: "127.0.0.1:8888", foreign: {} },
    { name: "address:https://a.example", address: "a.example:443", foreign: { certificateHost: "a.example" } },
    listener(0),
  ]);
  const bound = workers[0]?.bindings.filter(({ name }) => name.startsWith("REACH_")) ?? [];
  expect(bound.map((item) => (item.kind === "service" ? [item.name, item.service] : []))).toEqual([
    [reachBinding("http://127.0.0.1:8888/search"), "address:http://127.0.0.1:8888"],
    [reachBinding("https://a.example/"), "address:https://a.example"],
  ]);
});

test("no two addresses share a binding", () => {
  const urls = ["http://a-b.c", "http://a_b.c", "http://a.b-c", "https://a-b.c", "http://a-b.c:81", "http://a2d_b.c"];
  expect(new Set(urls.map(reachBinding)).size).toBe(urls.length);
});

test("secrets are named, never written", () => {
  const [process] = processesOf(planOf("agent")).slice(1);
  const text = process === undefined ? "" : renderConfig(configOf(planOf("agent"), process, SURROUNDINGS));
  expect(text).toContain('(name = "KEY", fromEnvironment = "B__KEY")');
  expect(text).toContain('(name = "TROUPE_KEY", fromEnvironment = "TROUPE_KEY")');
});

test("the port of a configuration can be read back from it", () => {
  const [process] = processesOf(planOf("job"));
  expect(portIn(process === undefined ? "" : renderConfig(configOf(planOf("job"), process, SURROUNDINGS)))).toBe(9002);
  expect(portIn("damaged")).toBeUndefined();
});

test("a Worker's own fetch reaches public addresses only", () => {
  const [process] = processesOf(planOf("job"));
  const text = process === undefined ? "" : renderConfig(configOf(planOf("job"), process, SURROUNDINGS));
  expect(text.match(/globalOutbound = "network:public"/g)).toHaveLength(2);
  expect(text).toContain('(name = "network:public", network = (allow = ["public"]');
});

test.each([
  ["plain text stays", "abc äöü →", '"abc äöü →"'],
  ["a quote cannot end the string", 'a", evil = "', '"a\\", evil = \\""'],
  ["a backslash of a Windows path is doubled", "C:\\data", '"C:\\\\data"'],
  ["control characters are written as hex", "a\nb\u0000c", '"a\\x0ab\\x00c"'],
])("%s", (_, text, literal) => {
  expect(quote(text)).toBe(literal);
});
