// What a plan changes to the one that is deployed, agent by agent.
import { describe, expect, test } from "vitest";

import { type AgentChange, type Changes, changesBetween, type Version } from "#jobs/plan/changes.ts";
import { knownEnvironment } from "#jobs/plan/known-environment.ts";
import { Plan, type PlanEnvironment } from "#jobs/plan/plan-shape.ts";
import { planJob } from "#jobs/plan/plan.ts";
import { parseHosts } from "#jobs/placement/hosts.ts";
import { placeAgents, type PlacementChoice } from "#jobs/placement/place-agents.ts";

import { jobOf } from "./support.ts";

const HUB = "topology: { type: hub-spoke, hub: a, spokes: [b, c] }";
const AGENTS = { a: "", b: "", c: "" };
const CODE = { searcher: "1".repeat(64) };
const PORTS = { a: 9001, b: 9002, c: 9003 };
const KEYS = { a: "A", b: "B", c: "C", "command-line": "L" };

/** Agents (id → more fields), and more lines. */
function job(agents: Readonly<Record<string, string>> = AGENTS, more = HUB) {
  const list = Object.entries(agents).map(([id, fields]) => `  - { id: ${id}, worker: searcher${fields} }`);
  return jobOf(`name: x\nagents:\n${list.join("\n")}\n${more}\n`, ["TOKEN", "OTHER"]);
}

function planned(of: ReturnType<typeof job>, environment: Partial<PlanEnvironment>): Plan {
  const objects = { searcher: ["Session"], tck: ["Session"] };
  // As it is stored and read again.
  return Plan.parse(
    JSON.parse(JSON.stringify(planJob(of, { hasAnthropicKey: false, ports: PORTS, objects, ...environment }))),
  );
}

interface Options {
  readonly from?: PlacementChoice;
  readonly to?: PlacementChoice;
  readonly code?: Record<string, string>;
}

function changes(old: ReturnType<typeof job>, own: ReturnType<typeof job>, options: Options = {}): Changes {
  const { from = {}, to = {}, code = CODE } = options;
  const tlsPorts = { a: 9101, b: 9102, c: 9103, "control-plane": 9100 };
  const before: Version = {
    plan: planned(old, { publicKeys: KEYS, tlsPorts, placement: from }),
    code: CODE,
  };
  const known = knownEnvironment(before.plan, placeAgents(own, to));
  const ports = Object.fromEntries(before.plan.agents.map(({ id, socket }) => [id, socket.port]));
  return changesBetween(before, { plan: planned(own, { ports, ...known, placement: to }), code });
}

/** Agent → its change in one text. */
function said({ agents }: Changes): Record<string, string> {
  const words = ({ change, differs, leaves }: AgentChange) =>
    [change, ...differs, ...(leaves === undefined ? [] : [`leaves ${leaves}`])].join(" | ");
  return Object.fromEntries(agents.map((agent) => [agent.id, words(agent)]));
}

const SAME = { a: "unchanged", b: "unchanged", c: "unchanged" };

test("the same job changes nothing", () => {
  expect(changes(job(), job())).toEqual({
    agents: ["a", "b", "c"].map((id) => ({ id, change: "unchanged", differs: [] })),
    job: [],
  });
  const to = { target: "ssh://h1" };
  expect(said(changes(job(), job(), { from: to, to }))).toEqual(SAME);
  const far = { hosts: parseHosts("h1\nh2", "hosts").hosts };
  expect(changes(job(), job(), { from: far, to: far })).toMatchObject({ job: [] });
  expect(said(changes(job(), job(), { from: far, to: far }))).toEqual(SAME);
});

test("of a job that was never deployed all is new", () => {
  const { agents } = changesBetween(undefined, { plan: planned(job(), {}), code: CODE });
  expect(agents.map(({ change }) => change)).toEqual(["create", "create", "create"]);
});

describe("an agent is updated where this differs", () => {
  test.each<[string, string, string]>([
    ["", ", worker: tck", "Worker searcher → tck"],
    ["", ", port: 8123", "port 9002 → 8123"],
    ["", ", name: Bee", "name"],
    ["", ", model: { name: other, max_tokens: 5 }", "model"],
    ["", ", permissions: { deny: [x] }", "permissions"],
    ["", ", budget: { max_turns: 3 }", "budget"],
    ["", ", turns_at_once: 3", "turns_at_once"],
    ["", ", config: { deep: [1] }", "config"],
    ["", ", config: { corpus: docs }", "config | documents"],
    ["", ", env: { LEVEL: info }", "env LEVEL"],
    [', env: { KEY: "${TOKEN}", LEVEL: info }', ', env: { KEY: "${OTHER}", LEVEL: info }', "env KEY"],
    [', env: { KEY: "${TOKEN}" }', "", "env KEY"],
  ])("%j → %j: %s", (old, own, words) => {
    const strip = (fields: string) => ({ ...AGENTS, b: fields });
    const text = (fields: string) =>
      fields.startsWith(", worker")
        ? jobOf(
            `name: x\nagents:\n  - { id: a, worker: searcher }\n  - { id: b, worker: tck }\n  - { id: c, worker: searcher }\n${HUB}\n`,
          )
        : job(strip(fields));
    expect(said(changes(text(old), text(own)))).toEqual({ ...SAME, b: `update | ${words}` });
  });

  test("code, for all agents of a Worker", () => {
    const words = said(changes(job(), job(), { code: { searcher: "2".repeat(64) } }));
    expect(words).toEqual({ a: "update | code", b: "update | code", c: "update | code" });
  });
  test("fields of the job that all agents have", () => {
    const own = job(AGENTS, `${HUB}\nbudget: { max_usd: 1 }\nheartbeat: { interval: 1s }`);
    expect(said(changes(job(), own)).c).toBe("update | budget of a query | heartbeat");
  });
});

test("code that is not known is not compared", () => {
  const { agents } = changes(job(), job(), { code: {} });
  expect(agents[0]).toEqual({ id: "a", change: "unchanged", differs: [], codeIsUnknown: true });
});

test("a named port that becomes any port stays, since deploy keeps it", () => {
  expect(said(changes(job({ ...AGENTS, b: ", port: 8123" }), job()))).toEqual(SAME);
});

test("what differs for the job as a whole is said once", () => {
  const own = job(
    AGENTS,
    `${HUB}\nversion: "2"\ndeployment: { strategy: staged, restart: never }\nisolation: agent\nexecution: { entry_point: b }`,
  );
  expect(changes(job(), own).job).toEqual(["version", "isolation", "entry point", "restart", "order of the start"]);
});

test("an agent joins or leaves: whoever asks it changes, and its sessions stay where it ran", () => {
  const two = job({ a: "", b: "" }, "topology: { type: hub-spoke, hub: a, spokes: [b] }");
  expect(said(changes(two, job()))).toEqual({
    a: "update | peers or their keys",
    b: "unchanged",
    c: "create",
  });
  expect(said(changes(job(), two))).toEqual({
    a: "update | peers or their keys",
    b: "unchanged",
    c: "remove | leaves local",
  });
});

describe("an agent that moves", () => {
  const on = (b: string) => job({ a: ', target: "ssh://h1"', b: `, target: "${b}"`, c: ', target: "ssh://h1"' });

  test("is updated, leaves its sessions, and has another key, which its callers pin", () => {
    const words = said(changes(on("ssh://h1"), on("ssh://me@h2")));
    expect(words.b).toBe(
      "update | place h1 → me-h2 | port for other machines | callers or their keys | the way to the control plane | leaves h1",
    );
    expect(words.a).toBe("update | peers or their keys | the way to b");
    expect(words.c).toBe("unchanged");
  });
  test("from this machine to hosts takes the control plane along, whose traces stay", () => {
    const moved = changes(job(), job(), { to: { target: "ssh://h1" } });
    expect(moved.controlPlaneLeaves).toBe("local");
    expect(moved.agents.map(({ change, leaves }) => [change, leaves])).toEqual([
      ["update", "local"],
      ["update", "local"],
      ["update", "local"],
    ]);
  });
  test("to another port of ssh is at another machine", () => {
    expect(said(changes(on("ssh://h2"), on("ssh://h2:2222"))).b).toContain("place h2 → h2-2222");
  });
});

test("a host with another address is reached another way", () => {
  const file = (address: string) => ({ hosts: parseHosts(`h1 slots=2\nh2 address=${address}`, "hosts").hosts });
  const words = said(changes(job(), job(), { from: file("10.0.0.2"), to: file("10.0.0.3") }));
  expect(words).toEqual({ a: "update | the way to c", b: "unchanged", c: "unchanged" });
});

test("a release from before places and keys is compared all the same", () => {
  const plan = planned(job(), {});
  const { places: _, links: __, controlPlane: ___, ...older } = plan;
  const before = Plan.parse({
    ...older,
    edges: plan.edges.map(({ from, to }) => ({ from, to })),
    agents: plan.agents.map(({ place: ____, ...agent }) => ({ ...agent, bindings: [] })),
  });
  const known = knownEnvironment(before, placeAgents(job(), {}));
  const { agents } = changesBetween({ plan: before, code: {} }, { plan: planned(job(), known), code: CODE });
  expect(agents.every(({ change, leaves }) => change === "update" && leaves === undefined)).toBe(true);
});
