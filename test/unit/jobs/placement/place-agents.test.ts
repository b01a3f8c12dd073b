// Where agents run: the order of targets, dealing by slots, places and their ids and addresses, the control plane.
import { describe, expect, test } from "vitest";

import { keyOf, parseHosts } from "#jobs/placement/hosts.ts";
import type { PlacementChoice } from "#jobs/placement/place-agents.ts";
import { nameSpots } from "#jobs/placement/place-ids.ts";
import type { Spot } from "#jobs/placement/target.ts";
import { jobText, placed } from "./support.ts";

const MESH = "topology: { type: mesh }\nexecution: { entry_point: a }";

/** Agent → destination, or kind of its place. */
function dealt(text: string, choice: PlacementChoice = {}): Record<string, string> {
  const { places, agents } = placed(text, choice);
  const named = new Map(places.map(({ id, kind, destination }) => [id, destination ?? kind]));
  return Object.fromEntries(Object.entries(agents).map(([agent, id]) => [agent, named.get(id) ?? "?"]));
}

const hosts = (text: string) => ({ hosts: parseHosts(text, "hosts").hosts });

describe("the target of an agent", () => {
  const own = jobText({ a: "ssh://h1", b: "" }, `deployment: { target: ssh://h2 }\n${MESH}`);
  const plain = jobText({ a: "", b: "" }, MESH);

  test("is its own, else the job's, else this machine", () => {
    expect(dealt(own)).toEqual({ a: "h1", b: "h2" });
    expect(dealt(plain)).toEqual({ a: "local", b: "local" });
  });
  test("is that of --target for all, over the job file's, and so is that of the control plane", () => {
    const text = jobText({ a: "ssh://h1", b: "" }, `control_plane: { target: ssh://h9 }\n${MESH}`);
    expect(dealt(text, { target: "ssh://h3" })).toEqual({ a: "h3", b: "h3" });
    expect(placed(text, { target: "ssh://h3" }).controlPlane.place).toBe("h3");
    expect(dealt(own, { target: "local" })).toEqual({ a: "local", b: "local" });
  });
  test("is dealt over the host file where the job says local or nothing", () => {
    expect(dealt(plain, hosts("h1\nh2"))).toEqual({ a: "h1", b: "h2" });
    expect(dealt(own, hosts("h3\nh4"))).toEqual({ a: "h1", b: "h2" });
  });
  test("may be a group of the host file, as the job's, an agent's and --target's", () => {
    const file = hosts("[one]\nh1\n[two]\nh2\nh3");
    expect(dealt(jobText({ a: "two", b: "two" }, `deployment: { target: one }\n${MESH}`), file)).toEqual({
      a: "h2",
      b: "h3",
    });
    expect(dealt(plain, { ...file, target: "two" })).toEqual({ a: "h2", b: "h3" });
  });
  test("agents of others are placed nowhere", () => {
    const text = `name: x\nagents: [{ id: a, worker: searcher }, { id: b, remote: "https://b.example" }]\ntopology: { type: hub-spoke, hub: a, spokes: [b] }\n`;
    expect(dealt(text, hosts("h1\nh2"))).toEqual({ a: "h1" });
  });
});

describe("an unknown target", () => {
  const file = hosts("[workers]\nh1\n[db]\nh2");

  test.each<[string, string, string, PlacementChoice]>([
    ["worker", 'unknown target "worker"', 'Did you mean "workers"?', file],
    ["Local", 'unknown target "Local"', 'Did you mean "local"?', file],
    ["gpu", 'unknown target "gpu"', "There is: local, cloudflare, workers, db, ssh://user@host.", file],
    [
      "workers",
      'unknown target "workers"',
      "There is: local, cloudflare, ssh://user@host. Groups come with a host file: --hosts FILE.",
      {},
    ],
    ["ssh", "ssh alone names no host", "Write ssh://user@host or ssh://user@host:port.", {}],
    ["me@h1", 'unknown target "me@h1"', "A host is written ssh://me@h1.", {}],
    ["h1", 'unknown target "h1"', "A host is written ssh://h1.", file],
    ["localhost", 'unknown target "localhost"', 'This machine is "local".', file],
    [
      "ssh://me:secret@h1",
      "an address of ssh holds no password",
      "Remove it. ssh logs in with your keys, as ~/.ssh/config says.",
      {},
    ],
    [
      "ssh://-oProxyCommand=x",
      "a host's name is letters, digits and . _ -, and begins with no -",
      "Write another address into ~/.ssh/config (HostName), and the alias here.",
      {},
    ],
  ])("%j gets the nearest right one, or all", (target, message, hint, choice) => {
    const { mistakes } = placed(jobText({ a: target }, "topology: { type: mesh }"), choice);
    expect(mistakes).toEqual([{ path: ["agents", 0, "target"], message, hint }]);
  });

  test("is said at its place: the job's, the control plane's, --target's", () => {
    const at = (more: string, choice: PlacementChoice = {}) =>
      placed(jobText({ a: "" }, `topology: { type: mesh }\n${more}`), choice).mistakes.map(({ path }) => path);
    expect(at("deployment: { target: nope }")).toEqual([["deployment", "target"]]);
    expect(at("control_plane: { target: nope }")).toEqual([["control_plane", "target"]]);
    expect(at("", { target: "nope" })).toEqual([[]]);
  });
  test("shows no control characters", () => {
    const [mistake] = placed(jobText({ a: "x\\u009b2J" }, "topology: { type: mesh }")).mistakes;
    expect(mistake?.message).toBe('unknown target "x\\u{9b}2J"');
  });
});

describe("dealing", () => {
  const five = jobText({ a: "", b: "", c: "", d: "", e: "" }, MESH);

  test("gives a host as many agents as it has slots, then goes to the next", () => {
    expect(dealt(five, hosts("h1 slots=2\nh2\nh3 slots=2"))).toEqual({ a: "h1", b: "h1", c: "h2", d: "h3", e: "h3" });
    expect(placed(five, hosts("h1 slots=2\nh2\nh3 slots=2")).notes).toEqual([]);
  });
  test("begins again at the first host where slots run out, and says so", () => {
    expect(dealt(five, hosts("h1\nh2 slots=2"))).toEqual({ a: "h1", b: "h2", c: "h2", d: "h1", e: "h2" });
    expect(placed(five, hosts("h1\nh2 slots=2")).notes).toEqual([
      "The host file has 3 slots for 5 agents, so the dealing began again at its first host.",
    ]);
    expect(placed(five, { ...hosts("[g]\nh1"), target: "g" }).notes).toEqual([
      "The group g has 1 slot for 5 agents, so the dealing began again at its first host.",
    ]);
  });
  test("of a group goes on over all its agents; other groups have a deal of their own", () => {
    const text = jobText({ a: "g", b: "k", c: "g", d: "k", e: "g" }, MESH);
    expect(dealt(text, hosts("[g]\nh1\nh2\n[k]\nh3\nh2"))).toEqual({ a: "h1", b: "h3", c: "h2", d: "h2", e: "h1" });
  });
  test("over the file takes a host of several groups once, with the slots of its first line", () => {
    expect(dealt(five, hosts("[g]\nh1 slots=2\n[k]\nh1 slots=9\nh2 slots=3"))).toEqual({
      a: "h1",
      b: "h1",
      c: "h2",
      d: "h2",
      e: "h2",
    });
  });
  test("may include this machine", () => {
    expect(dealt(five, hosts("local slots=4\nh1"))).toEqual({
      a: "local",
      b: "local",
      c: "local",
      d: "local",
      e: "h1",
    });
  });
});

describe("places", () => {
  test("are those that are used, in the order of the agents, each once", () => {
    const text = jobText({ a: "ssh://h2", b: "ssh://h1", c: "ssh://h2" }, MESH);
    expect(placed(text, hosts("h1\nh2\nh3")).places).toEqual([
      { id: "h2", kind: "ssh", destination: "h2", address: "h2", expose: "https" },
      { id: "h1", kind: "ssh", destination: "h1", address: "h1", expose: "https" },
    ]);
  });
  test("have the address, in this order, of the host file, of ssh's configuration, of the target", () => {
    const text = jobText({ a: "ssh://h1", b: "ssh://me@h2", c: "ssh://h3" }, MESH);
    const choice = { ...hosts("h1 address=10.0.0.1"), addresses: { h1: "10.9.9.9", "me@h2": "10.0.0.2" } };
    expect(placed(text, choice).places.map(({ address }) => address)).toEqual(["10.0.0.1", "10.0.0.2", "h3"]);
  });
  test("have no address that means something on one machine only", () => {
    const { places } = placed(jobText({ a: "ssh://[fe80::1%eth0]" }, "topology: { type: mesh }"));
    expect(places[0]).toEqual({ id: "fe80-1-eth0", kind: "ssh", destination: "fe80::1%eth0", expose: "https" });
  });
  test("whose address is the loopback are noted, unless all of the job is there", () => {
    const text = jobText({ a: "ssh://h1", b: "ssh://h2" }, MESH);
    const itself = { addresses: { h1: "127.0.0.1", h2: "10.0.0.2" } };
    expect(placed(text, itself).notes).toEqual([
      "h1 has the address 127.0.0.1, by which every machine means itself: write address=… in the host file.",
    ]);
    expect(placed(text, { ...itself, ...hosts("h1 expose=tunnel") }).notes).toEqual([]);
    expect(placed(jobText({ a: "ssh://localhost" }, "topology: { type: mesh }")).notes).toEqual([]);
  });
  test("are as exposed as the host file says, also those that the job file names", () => {
    const text = jobText({ a: "ssh://h1", b: "local" }, MESH);
    const { places } = placed(text, hosts("h1 expose=tunnel\nlocal address=10.0.0.9"));
    expect(places).toMatchObject([{ expose: "tunnel" }, { kind: "local", address: "10.0.0.9" }]);
  });
});

describe("ids of places", () => {
  const idsOf = (...spots: (readonly [string, number?])[]) => {
    const all = spots.map(([destination, port]): Spot => ({
      kind: "ssh",
      destination,
      ...(port === undefined ? {} : { port }),
      expose: "https",
    }));
    return [...nameSpots(new Map(all.map((spot) => [keyOf(spot), spot]))).values()];
  };

  test("are what ssh is given, in letters, digits and -", () => {
    expect(idsOf(["h1"], ["me@h1"], ["h1", 2222], ["10.0.0.1"], ["2001:db8::1"], ["H_2.Example"])).toEqual([
      "h1",
      "me-h1",
      "h1-2222",
      "10-0-0-1",
      "2001-db8-1",
      "h-2-example",
    ]);
  });
  test("stay when other hosts join or leave, also of the same name", () => {
    expect(idsOf(["me@h1"])).toEqual(["me-h1"]);
    expect(idsOf(["you@h1"], ["me@h1"], ["h1"])).toEqual(["you-h1", "me-h1", "h1"]);
  });
  test("are unique, and none is local or cloudflare", () => {
    expect(idsOf(["a.b"], ["a-b"], ["a_b"], ["local"], ["cloudflare"])).toEqual([
      "a-b",
      "a-b-2",
      "a-b-3",
      "local-2",
      "cloudflare-2",
    ]);
  });
  test("are short", () => {
    expect(idsOf([`${"a".repeat(39)}.${"b".repeat(60)}`], ["a".repeat(200)], ["a".repeat(201)])).toEqual([
      "a".repeat(39),
      "a".repeat(40),
      `${"a".repeat(40)}-2`,
    ]);
  });
});

describe("the control plane", () => {
  const at = (more: string, choice: PlacementChoice = {}) =>
    placed(jobText({ a: "ssh://h1", b: "ssh://h2" }, more), choice).controlPlane;

  test("runs where the entry point does, unless control_plane says another target", () => {
    expect(at("topology: { type: hub-spoke, hub: b, spokes: [a] }")).toEqual({ place: "h2" });
    expect(at(`control_plane: { target: local, port: 9000 }\n${MESH}`)).toEqual({ place: "local", port: 9000 });
  });
  test("of a group runs at its first host, which is a place then", () => {
    const text = jobText({ a: "ssh://h1" }, "control_plane: { target: g }\ntopology: { type: mesh }");
    const { places, controlPlane } = placed(text, hosts("[g]\nh7\nh8"));
    expect([places.map(({ id }) => id), controlPlane]).toEqual([["h1", "h7"], { place: "h7" }]);
  });
});

test("placing is the same each time", () => {
  const text = jobText({ a: "", b: "ssh://h1", c: "" }, MESH);
  const choice = hosts("h1 slots=2\nh2");
  expect(placed(text, choice)).toEqual(placed(text, choice));
});
