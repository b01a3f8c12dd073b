// What `troupe plan` says about what a deployment changes.
import { expect, test } from "vitest";
import { describeChanges } from "../../../../scripts/jobs/show-changes.ts";

const STATE = { job: "x", file: "/x.yaml", release: 3, deployedAt: "2026-12-01T08:00:00Z", stoppedAt: null, ports: {} };

test("each agent has a row, with what differs and where its sessions stay", () => {
  const changes = {
    agents: [
      { id: "a", change: "unchanged", differs: [] },
      { id: "b", change: "update", differs: ["code", "place h1 → h2"], leaves: "h1" },
      { id: "c", change: "create", differs: [] },
      { id: "d", change: "unchanged", differs: [], codeIsUnknown: true },
      { id: "e", change: "remove", differs: [], leaves: "h1" },
    ],
    job: ["version", "entry point"],
    controlPlaneLeaves: "h1",
  } as const;
  expect(describeChanges(changes, { state: STATE })).toBe(`Changes (to release 3 of 2026-12-01T08:00:00Z)
  a  unchanged
  b  update     code, place h1 → h2; its sessions stay on h1
  c  create
  d  unchanged  its code is not compared
  e  remove     its sessions stay on h1
  The job differs in: version, entry point
  The control plane leaves h1: its traces, budgets and keys stay there`);
});

test("the changes are said to be to a release that is stopped, or to nothing", () => {
  const changes = { agents: [], job: [] };
  expect(describeChanges(changes, { state: { ...STATE, stoppedAt: "2026-12-01T09:00:00Z" } })).toContain(
    "Changes (to release 3 of 2026-12-01T08:00:00Z, which is stopped)",
  );
  expect(describeChanges(changes, undefined)).toContain("Changes (nothing is deployed)");
});
