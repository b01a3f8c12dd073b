// Ports of a job on hosts.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

import { choosePlacePorts } from "../../../../../scripts/targets/hosts/ports.ts";
import type { JobState } from "../../../../../scripts/targets/local/state/state.ts";
import { jobOf } from "../../../jobs/support.ts";

const LAST: JobState = {
  job: "x",
  file: "/x.yaml",
  release: 1,
  deployedAt: "2026-12-01T08:00:00Z",
  stoppedAt: null,
  ports: { a: 20_501, b: 20_502 },
  hosts: { controlPlanePort: 20_503, tlsPorts: { a: 20_504, b: 20_505, "control-plane": 20_506 }, fingerprint: "" },
};

async function ports(a: number, controlPlane: number) {
  const home = await mkdtemp(join(tmpdir(), "troupe-ports-"));
  onTestFinished(async () => rm(home, { recursive: true }));
  const job = jobOf(
    `name: x\nagents: [{ id: a, worker: searcher, port: ${a} }, { id: b, worker: searcher }]\ntopology: { type: pipeline, stages: [a, b] }\ncontrol_plane: { port: ${controlPlane} }\n`,
  );
  return choosePlacePorts(home, job, LAST);
}

test("all ports are kept over deployments", async () => {
  const { real } = await ports(0, 0);
  expect(real).toEqual({ agents: LAST.ports, controlPlanePort: 20_503, tlsPorts: LAST.hosts?.tlsPorts });
});

test.each([
  ["an agent gets the control plane's", 20_503, 0],
  ["an agent gets that of another for other machines", 20_505, 0],
  ["the control plane gets an agent's", 0, 20_502],
  ["the control plane gets an agent's for other machines", 0, 20_504],
])("where %s port, no two listen on one", async (_, a, controlPlane) => {
  const { real, trial } = await ports(a, controlPlane);
  expect([real.agents["a"], real.controlPlanePort]).toContain(a === 0 ? controlPlane : a);
  const all = [real, trial].flatMap(({ agents, controlPlanePort, tlsPorts }) => [
    ...Object.values(agents),
    controlPlanePort,
    ...Object.values(tlsPorts),
  ]);
  expect(all).not.toContain(0);
  expect(new Set(all).size).toBe(all.length);
});
