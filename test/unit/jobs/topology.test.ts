// Edges, entry points and the order of start of each topology.
import { describe, expect, test } from "vitest";

import { edgesOf, entryPointOf, findCycle, startOrder } from "#jobs/schema/topology.ts";

import { jobWith } from "./support.ts";

const ENTRY_A = "execution: { entry_point: a }";

function edges(topology: string, more = ""): string {
  const job = jobWith(topology, more);
  return edgesOf(
    job.topology,
    job.agents.map((agent) => agent.id),
  )
    .map(({ from, to }) => `${from}${to}`)
    .join(" ");
}

describe("edges", () => {
  test("a hub delegates to each spoke, and no spoke to anyone", () => {
    expect(edges("{ type: hub-spoke, hub: a, spokes: [b, c, d] }")).toBe("ab ac ad");
  });
  test("every agent of a stage delegates to every agent of the next", () => {
    expect(edges("{ type: pipeline, stages: [a, [b, c], d] }")).toBe("ab ac bd cd");
  });
  test("a dag has its connections, each once", () => {
    expect(
      edges("{ type: dag, connections: [{from: a, to: b}, {from: a, to: b}, {from: b, to: c}, {from: c, to: d}] }"),
    ).toBe("ab bc cd");
  });
  test("a mesh connects all pairs both ways", () => {
    expect(edges("{ type: mesh }", ENTRY_A)).toBe("ab ac ad ba bc bd ca cb cd da db dc");
  });
  test("a level as a list belongs to everyone above, as a mapping to the parent named", () => {
    expect(edges("{ type: hierarchical, root: a, levels: [[b, c], { c: [d] }] }")).toBe("ab ac cd");
  });
  test("a dynamic topology has no edges", () => {
    expect(edges("{ type: dynamic }", ENTRY_A)).toBe("");
  });
});

describe("entry point", () => {
  test.each([
    ["the hub", "{ type: hub-spoke, hub: b, spokes: [a, c, d] }", "b"],
    ["the first stage's agent", "{ type: pipeline, stages: [c, [a, b], d] }", "c"],
    [
      "the dag's only source",
      "{ type: dag, connections: [{from: d, to: a}, {from: a, to: b}, {from: a, to: c}] }",
      "d",
    ],
    ["the root", "{ type: hierarchical, root: d, levels: [[a, b, c]] }", "d"],
  ])("is %s", (_, topology, expected) => {
    expect(entryPointOf(jobWith(topology))).toBe(expected);
  });
  test("is what execution says, whatever the topology", () => {
    expect(entryPointOf(jobWith("{ type: hub-spoke, hub: b, spokes: [a, c, d] }", ENTRY_A))).toBe("a");
  });
});

describe("order of start", () => {
  const all = ["a", "b", "c", "d"];
  test("callees come before their callers", () => {
    const chain = [
      { from: "a", to: "b" },
      { from: "b", to: "c" },
      { from: "a", to: "d" },
    ];
    expect(startOrder(all, chain)).toEqual([["c", "d"], ["b"], ["a"]]);
  });
  test("the members of a cycle start together", () => {
    const cycle = [
      { from: "a", to: "b" },
      { from: "b", to: "a" },
      { from: "a", to: "c" },
    ];
    expect(startOrder(all, cycle)).toEqual([
      ["c", "d"],
      ["a", "b"],
    ]);
  });
});

describe("cycles", () => {
  test("a diamond is none", () => {
    const diamond = [
      { from: "a", to: "b" },
      { from: "a", to: "c" },
      { from: "b", to: "d" },
      { from: "c", to: "d" },
    ];
    expect(findCycle(diamond)).toBeUndefined();
  });
  test("one behind a long tail is found without its tail", () => {
    const edgesWithTail = [
      { from: "a", to: "b" },
      { from: "b", to: "c" },
      { from: "c", to: "b" },
    ];
    expect(findCycle(edgesWithTail)).toEqual(["b", "c", "b"]);
  });
});
