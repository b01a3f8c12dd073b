// What the control plane of a job on hosts may call, and whose secrets lie where.
import { expect, test } from "vitest";

import { parseHosts } from "#jobs/placement/hosts.ts";
import { loadJob } from "#jobs/load.ts";
import { planJob } from "#jobs/plan/plan.ts";

import { type HostProcess, hostProcesses } from "../../../../../../scripts/targets/hosts/release/host-processes.ts";
import { CONTROL_PLANE } from "../../../../../../scripts/targets/local/control-plane/worker-configs.ts";

const HOSTS = "[one]\nh1 address=10.0.0.1\n[two]\nh2 address=10.0.0.2\n[far]\nh3 address=10.0.0.3 expose=tunnel";
const JOB = `name: x
agents:
  - { id: here, worker: searcher, target: one, env: { OWN: "\${OWN}" } }
  - { id: there, worker: searcher, target: two }
  - { id: behind, worker: searcher, target: far }
topology: { type: hub-spoke, hub: here, spokes: [there, behind] }
`;
const TLS = { here: 7001, there: 7002, behind: 7003, [CONTROL_PLANE]: 7004 };

/** Place → its processes. */
function processesAt(): Map<string, HostProcess[]> {
  const placement = { hosts: parseHosts(HOSTS, "hosts").hosts };
  const loaded = loadJob(JOB, "job.yaml", { workers: ["searcher"], variables: new Set(["OWN"]), placement });
  if ("mistakes" in loaded) throw new Error(loaded.mistakes[0]?.message);
  const ports = { here: 9001, there: 9002, behind: 9003 };
  const plan = planJob(loaded.job, { hasAnthropicKey: false, ports, tlsPorts: TLS, objects: {}, placement });
  const facts = {
    folder: "/h",
    module: () => "m.js",
    controlPlaneObjects: [],
    controlPlanePort: 7000,
    release: 1,
    secrets: { key: "the key of the job", variables: { OWN: "the value of a variable" }, signing: {} },
    controlPlaneSecret: "the secret of the control plane, of 32 characters",
    settings: {},
  };
  return new Map(plan.places.map((place) => [place.id, hostProcesses(plan, place, facts)]));
}

const controlPlane = () =>
  processesAt()
    .get("h1")
    ?.find(({ name }) => name === CONTROL_PLANE)?.config;

test("the control plane probes each agent where it can be reached: over TLS, or through a tunnel", () => {
  const bindings = controlPlane()?.workers[0]?.bindings ?? [];
  const probes = bindings.find(({ name }) => name === "PROBES");
  expect(JSON.parse(probes?.kind === "json" ? probes.value : "")).toEqual({
    x: { here: "PROBE_HERE", there: "PROBE_THERE", behind: "PROBE_BEHIND" },
  });
  const external = (name: string) => controlPlane()?.externals.find((one) => one.name === name);
  expect(external("probe:here")).toEqual({ name: "probe:here", address: "127.0.0.1:9001" });
  expect(external("probe:there")).toMatchObject({
    address: "10.0.0.2:7002",
    peer: { certificateHost: "there.agents.x.troupe", keyPair: { certificateFile: "control-plane.pem" } },
  });
  expect(external("probe:behind")).toEqual({ name: "probe:behind", address: "unix:tunnels/9003" });
});

test("it has no network by which to follow an address that an agent registers", () => {
  expect(controlPlane()?.workers[0]?.bindings.map(({ name }) => name)).not.toContain("PROBE");
});

test("a host gets the values of its own agents alone, and the control plane's secret goes to the control plane", () => {
  const values = new Map(
    [...processesAt()].map(([id, processes]) => [id, JSON.stringify(processes.map(({ environment }) => environment))]),
  );
  const holders = (text: string) => [...values].flatMap(([id, all]) => (all.includes(text) ? [id] : []));
  expect(holders("the key of the job")).toEqual([]);
  expect(holders("the secret of the control plane")).toEqual(["h1"]);
  expect(holders("the value of a variable")).toEqual(["h1"]);
  for (const [agent, host] of [
    ["here", "h1"],
    ["there", "h2"],
    ["behind", "h3"],
  ] as const)
    expect(holders(`x.${agent}.`)).toEqual([host]);
});
