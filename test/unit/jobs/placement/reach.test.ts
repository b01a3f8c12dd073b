// How agents reach each other and the control plane, and what is said where they cannot.
import { describe, expect, test } from "vitest";

import { parseHosts } from "#jobs/placement/hosts.ts";
import { placeAgents, type PlacementChoice } from "#jobs/placement/place-agents.ts";
import { type Reach, reachOf } from "#jobs/placement/reach.ts";
import { jobFrom, jobText, mistakesOf } from "./support.ts";

const HUB = "topology: { type: hub-spoke, hub: a, spokes: [b] }";

const hosts = (text: string) => ({ hosts: parseHosts(text, "hosts").hosts });

function reached(text: string, choice: PlacementChoice = {}): Reach {
  const job = jobFrom(text);
  return reachOf(job, placeAgents(job, choice));
}

/** How a asks b, with both at these targets. */
function via(a: string, b: string, file = "", more = ""): string | undefined {
  const choice = file === "" ? {} : hosts(file);
  return reached(jobText({ a, b }, `${HUB}\ncontrol_plane: { target: "${a}" }\n${more}`), choice).edges[0]?.via;
}

describe("an edge", () => {
  test.each<[string, string, string, string]>([
    ["local", "local", "", "binding"],
    ["ssh://h1", "ssh://h1", "", "binding"],
    ["cloudflare", "cloudflare", "", "binding"],
    ["ssh://h1", "ssh://h2", "", "https"],
    ["local", "ssh://h1", "", "https"],
    ["local", "cloudflare", "", "https"],
    ["ssh://h1", "cloudflare", "", "https"],
    ["cloudflare", "ssh://h1", "", "https"],
    ["ssh://h1", "local", "local address=10.0.0.9", "https"],
    ["cloudflare", "local", "local address=me.example", "https"],
    ["ssh://h1", "ssh://h2", "h2 expose=tunnel", "tunnel"],
    ["ssh://h2", "ssh://h1", "h2 expose=tunnel", "https"],
    ["ssh://h1", "ssh://h2", "h1 expose=tunnel\nh2 expose=tunnel", "tunnel"],
    ["ssh://h1", "local", "h1 expose=tunnel", "tunnel"],
    ["ssh://h1", "local", "local expose=tunnel", "tunnel"],
  ])("from %s to %s with %j goes by %s", (a, b, file, expected) => {
    expect(via(a, b, file === "" ? "local" : file)).toBe(expected);
  });

  test("of two processes of a place goes over the loopback", () => {
    expect(via("ssh://h1", "ssh://h1", "", "isolation: agent")).toBe("loopback");
    expect(via("ssh://h1", "ssh://h2", "", "isolation: agent")).toBe("https");
  });
  test("to an agent of others goes by https, and over the loopback to one of this machine", () => {
    const text = (remote: string) =>
      `name: x\nagents: [{ id: a, worker: searcher }, { id: b, remote: "${remote}" }]\n${HUB}\n`;
    expect(reached(text("https://b.example")).edges[0]?.via).toBe("https");
    expect(reached(text("http://127.0.0.1:9000")).edges[0]?.via).toBe("loopback");
  });
});

describe("the control plane", () => {
  const linksOf = (a: string, control: string, file = "local") =>
    reached(jobText({ a }, `topology: { type: mesh }\ncontrol_plane: { target: "${control}" }`), hosts(file)).links;

  test.each<[string, string, string, string, string]>([
    ["local", "local", "local", "loopback", "loopback"],
    ["ssh://h1", "ssh://h1", "local", "loopback", "loopback"],
    ["cloudflare", "cloudflare", "local", "binding", "binding"],
    ["ssh://h1", "ssh://h2", "local", "https", "https"],
    ["local", "ssh://h1", "local", "https", "unprobed"],
    ["local", "cloudflare", "local", "https", "unprobed"],
    ["ssh://h1", "ssh://h2", "h1 expose=tunnel", "https", "tunnel"],
    ["ssh://h1", "ssh://h2", "h2 expose=tunnel", "tunnel", "https"],
    ["ssh://h1", "cloudflare", "h1 expose=tunnel", "https", "unprobed"],
  ])("an agent on %s and a control plane on %s with %j: %s there, %s back", (a, control, file, there, back) => {
    expect(linksOf(a, control, file)).toEqual([{ agent: "a", toControlPlane: there, probe: back }]);
  });
});

test("only those that other machines ask over https have a port for them", () => {
  const text = jobText(
    { a: "ssh://h1", b: "ssh://h2", c: "ssh://h2" },
    "topology: { type: pipeline, stages: [a, b, c] }",
  );
  expect([...reached(text).asked].toSorted()).toEqual(["b", "c", "control-plane"]);
  const one = jobText({ a: "ssh://h1", b: "ssh://h1" }, HUB);
  expect([...reached(one).asked]).toEqual([]);
  const cloud = jobText({ a: "ssh://h1", b: "cloudflare" }, HUB);
  expect([...reached(cloud).asked]).toEqual(["control-plane"]);
});

describe("a way that is missing is a mistake at the agent's target, with what to do", () => {
  const AT_LOCAL = "In the host file, write address=… at local, or expose=tunnel at h1 or local; or ";

  test("to an agent of this machine", () => {
    expect(mistakesOf(jobText({ a: "ssh://h1", b: "local" }, HUB))).toEqual([
      `3:40: the agent "a" on h1 cannot reach "b" on local, which has no address | ${AT_LOCAL}move one of them.`,
    ]);
  });
  test("to the control plane", () => {
    const text = jobText({ a: "ssh://h1" }, "topology: { type: mesh }\ncontrol_plane: { target: local }");
    expect(mistakesOf(text)).toEqual([
      `3:40: the agent "a" on h1 cannot reach the control plane on local, which has no address | ${AT_LOCAL}move the control plane (control_plane: { target: … }).`,
    ]);
  });
  test("from Cloudflare, to which no tunnel of ssh leads", () => {
    const text = jobText(
      { a: "cloudflare", b: "ssh://h1", c: "local" },
      "topology: { type: hub-spoke, hub: a, spokes: [b, c] }",
    );
    expect(mistakesOf(text, hosts("h1 expose=tunnel"))).toEqual([
      '3:40: the agent "a" on cloudflare cannot reach "b" on h1, which is behind a tunnel | In the host file, write address=… and expose=https at h1; or move one of them.',
      '3:40: the agent "a" on cloudflare cannot reach "c" on local, which has no address | In the host file, write address=… and expose=https at local; or move one of them.',
    ]);
  });
  test("to a host with an interface in its address", () => {
    const text = jobText({ a: "ssh://h1", b: "ssh://[fe80::1%eth0]" }, HUB);
    expect(mistakesOf(text)[0]).toContain('cannot reach "b" on fe80-1-eth0, which has no address');
  });
  test("many ways between two places are one mistake", () => {
    const text = jobText(
      { a: "ssh://h1", b: "local", c: "local", d: "ssh://h1" },
      "topology: { type: hub-spoke, hub: a, spokes: [b, c, d] }",
    );
    expect(mistakesOf(text)).toHaveLength(1);
    expect(mistakesOf(text)[0]).toContain("which has no address (as in 1 more cases)");
  });
  test("in a dynamic topology every place has to reach every other", () => {
    const text = jobText({ a: "ssh://h1", b: "local" }, "topology: { type: dynamic }\nexecution: { entry_point: a }");
    expect(mistakesOf(text)).toHaveLength(1);
    expect(mistakesOf(text, hosts("h1\nlocal address=10.0.0.9"))).toEqual([]);
  });
  test("from a host to an agent of others on this machine", () => {
    const text = `name: x
agents:
  - { id: a, worker: searcher, target: "ssh://h1" }
  - { id: b, remote: "http://127.0.0.1:9000" }
${HUB}
`;
    expect(mistakesOf(text)).toEqual([
      '4:22: the agent "a" on h1 cannot reach "b" at 127.0.0.1:9000, which is this machine\'s own | Give "b" an https address, or let "a" run here.',
    ]);
  });
  test("is at the agent's id where the agent has no target of its own", () => {
    const text = jobText({ a: "", b: "local" }, `deployment: { target: ssh://h1 }\n${HUB}`);
    expect(mistakesOf(text)[0]).toMatch(/^3:11: /);
  });
  test("comes after unknown targets, since nobody knows where those agents are", () => {
    const text = jobText({ a: "ssh://h1", b: "lokal" }, HUB);
    expect(mistakesOf(text)).toEqual(['4:40: unknown target "lokal" | Did you mean "local"?']);
  });
});

describe("ports", () => {
  const text = (b: string, control = "0") => `name: x
agents:
  - { id: a, worker: searcher, target: ssh://h1, port: 9000 }
  - { id: b, worker: searcher, target: ssh://${b}, port: 9000 }
control_plane: { port: ${control} }
${HUB}
`;
  const HINT = "Use another port, or 0 for any free one. Ports differ over a whole job, also between hosts.";

  test.each(["h1", "h2"])("two agents have two ports, also where the second is on %s", (b) => {
    expect(mistakesOf(text(b))).toEqual([expect.stringContaining(`: port 9000 is taken by the agent "a" | ${HINT}`)]);
  });
  test("and the control plane one of its own", () => {
    expect(mistakesOf(text("h1", "9000"))).toContainEqual(`5:24: port 9000 is taken by the agent "a" | ${HINT}`);
  });
});

test("on hosts, where others have accounts, a key is always needed", () => {
  expect(mistakesOf(jobText({ a: "ssh://h1" }, "topology: { type: mesh }\naccounts: optional"))).toEqual([
    '5:11: accounts cannot be optional: the agent "a" runs on h1, where other people have accounts | Write required, or remove the line.',
  ]);
  expect(mistakesOf(jobText({ a: "local" }, "topology: { type: mesh }\naccounts: optional"))).toEqual([]);
});
