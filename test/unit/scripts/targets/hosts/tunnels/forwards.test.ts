// The ways of a plan that ssh carries, and what runs at the places that use them.
import { describe, expect, test } from "vitest";

import { parseHosts } from "#jobs/placement/hosts.ts";
import { placeOf } from "#jobs/placement/place.ts";
import { planJob } from "#jobs/plan/plan.ts";
import type { Plan, PlanEnvironment } from "#jobs/plan/plan-shape.ts";
import { hostProcesses } from "../../../../../../scripts/targets/hosts/release/host-processes.ts";
import { connectionsFor, forwardsOf } from "../../../../../../scripts/targets/hosts/tunnels/forwards.ts";
import { renderConfig } from "../../../../../../scripts/targets/local/processes/capnp.ts";
import { jobFrom, jobText } from "../../../../jobs/placement/support.ts";

const CONTROL = 9000;

/** a asks b and c, at the ports 9001, 9002 and 9003. */
function planned(agents: Readonly<Record<string, string>>, file: string, more = ""): Plan {
  const topology = `topology: { type: hub-spoke, hub: a, spokes: [${Object.keys(agents).slice(1).join(", ")}] }`;
  return planJob(jobFrom(jobText(agents, `${topology}\n${more}`)), environment(file));
}

function environment(file: string): PlanEnvironment {
  return {
    hasAnthropicKey: false,
    ports: { a: 9001, b: 9002, c: 9003 },
    tlsPorts: { a: 9101, b: 9102, c: 9103, "control-plane": 9100 },
    objects: {},
    placement: { hosts: parseHosts(file, "hosts").hosts },
  };
}

const shown = (plan: Plan) => forwardsOf(plan, CONTROL).map(({ from, to, port }) => `${from} → ${to} ${port}`);

const carried = (plan: Plan) =>
  connectionsFor(plan, forwardsOf(plan, CONTROL)).map(({ place, remote, local }) => [
    place,
    ...remote.map(({ socket, leadsTo }) => `-R ${socket} to ${leadsTo}`),
    ...local.map(({ socket, port }) => `-L ${socket} to ${port}`),
  ]);

describe("the forwards of a plan", () => {
  test("with the hub here and spokes behind tunnels end on this machine", () => {
    const plan = planned({ a: "local", b: "ssh://h1", c: "ssh://h2" }, "local\nh1 expose=tunnel\nh2 expose=tunnel");
    expect(shown(plan)).toEqual(["local → h1 9002", "local → h2 9003", "h1 → local 9000", "h2 → local 9000"]);
    expect(carried(plan)).toEqual([
      ["h1", "-R 9000 to 127.0.0.1:9000", "-L ./9002 to 9002"],
      ["h2", "-R 9000 to 127.0.0.1:9000", "-L ./9003 to 9003"],
    ]);
  });

  test("between two hosts go over a socket of this machine, where they meet", () => {
    const plan = planned({ a: "ssh://h1", b: "ssh://h2" }, "h1 expose=tunnel\nh2 expose=tunnel");
    expect(shown(plan)).toEqual(["h1 → h2 9002", "h2 → h1 9000"]);
    expect(carried(plan)).toEqual([
      ["h1", "-R 9002 to ./9002", "-L ./9000 to 9000"],
      ["h2", "-R 9000 to ./9000", "-L ./9002 to 9002"],
    ]);
  });

  test("lead to a host with an address only where one asks back", () => {
    const plan = planned(
      { a: "ssh://h1", b: "ssh://h2" },
      "h1 expose=tunnel\nh2",
      "control_plane: { target: ssh://h2 }",
    );
    // The agent h1 is probed; h1 asks h2 at its address.
    expect(shown(plan)).toEqual(["h2 → h1 9001"]);
    expect(carried(plan)).toEqual([
      ["h1", "-L ./9001 to 9001"],
      ["h2", "-R 9001 to ./9001"],
    ]);
  });

  test("are each there once, however many agents of a place ask", () => {
    const plan = planned({ a: "ssh://h1", b: "ssh://h2", c: "ssh://h2" }, "h1\nh2 expose=tunnel", "isolation: agent");
    expect(shown(plan)).toEqual(["h1 → h2 9002", "h1 → h2 9003"]);
  });

  test("of a dynamic topology lead from every place to the agents of every other", () => {
    const text = jobText(
      { a: "ssh://h1", b: "ssh://h2" },
      "topology: { type: dynamic }\nexecution: { entry_point: a }",
    );
    const plan = planJob(jobFrom(text), environment("h1 expose=tunnel\nh2 expose=tunnel"));
    expect(shown(plan)).toEqual(["h1 → h2 9002", "h2 → h1 9000", "h2 → h1 9001"]);
  });

  test("are none where no host is behind a tunnel", () => {
    const plan = planned({ a: "ssh://h1", b: "ssh://h2" }, "h1\nh2");
    expect([shown(plan), carried(plan)]).toEqual([[], []]);
  });
});

describe("what runs behind a tunnel", () => {
  const configs = (plan: Plan, place: string) =>
    hostProcesses(plan, placeOf(plan, place), {
      folder: "/home/me/.troupe/jobs/x",
      release: 1,
      module: (worker) => `${worker}.js`,
      controlPlaneObjects: [],
      controlPlanePort: CONTROL,
      secrets: { key: "k", variables: {}, signing: {} },
      controlPlaneSecret: "s".repeat(32),
      settings: {},
    }).map(({ name, config }) => [name, renderConfig(config)] as const);
  const configAt = (plan: Plan, place: string, process: string) => new Map(configs(plan, place)).get(process) ?? "";

  test("asks through a socket in the folder of the job, as localhost, and listens on the loopback alone", () => {
    const plan = planned({ a: "ssh://h1", b: "ssh://h2" }, "h1 expose=tunnel\nh2 expose=tunnel");
    const hub = configAt(plan, "h1", "all-agents");
    expect(hub).toContain(
      'external = (address = "unix:tunnels/9002", http = (injectRequestHeaders = [(name = "Host", value = "localhost")]))',
    );
    expect(configAt(plan, "h2", "all-agents")).toContain('address = "unix:tunnels/9000"');
    expect(configs(plan, "h1").concat(configs(plan, "h2")).join("\n")).not.toMatch(/"\*:|tlsOptions = \(keypair/);
  });
});
