// Releases: the plan and the bundles of each deployment, stored so that a restart or a rollback starts exactly the
// same.
import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { Plan } from "#jobs/plan/plan-shape.ts";

import { writeFileAtomically } from "../../../project/atomic-file.ts";
import { type Bundle, bundleOf } from "../../../project/build.ts";
import { CliError } from "../../../terminal/cli-error.ts";
import type { JobLayout } from "./layout.ts";

const PLAN_FILE = "plan.json";

/** Stores plan and bundles under a new number, and returns it. The release is unused until the job's state names it. */
export async function writeRelease(
  layout: JobLayout,
  plan: Plan,
  bundles: ReadonlyMap<string, Bundle>,
): Promise<number> {
  const number = Math.max(0, ...(await releaseNumbers(layout))) + 1;
  const folder = layout.release(number);
  await mkdir(folder, { recursive: true });
  for (const worker of new Set(plan.agents.map((agent) => agent.worker))) {
    await copyFile(bundleOf(bundles, worker).path, join(folder, `${worker}.js`));
  }
  await writeFileAtomically(join(folder, PLAN_FILE), JSON.stringify(plan, null, 2));
  return number;
}

/** The plan of a release. Throws CliError when it is gone or damaged. */
export async function readRelease(layout: JobLayout, number: number): Promise<Plan> {
  const path = join(layout.release(number), PLAN_FILE);
  try {
    return Plan.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    throw new CliError("failed", `${path} is missing or damaged.`, "Deploy the job again; its sessions are kept.");
  }
}

/** Worker → SHA-256 of its module in a release, in hex; without those that are gone. */
export async function releaseCode(
  layout: JobLayout,
  number: number,
  workers: readonly string[],
): Promise<Record<string, string>> {
  const code = [...new Set(workers)].map(async (worker) => {
    const module = await readFile(join(layout.release(number), `${worker}.js`)).catch(() => undefined);
    return module === undefined ? [] : [[worker, createHash("sha256").update(module).digest("hex")] as const];
  });
  return Object.fromEntries((await Promise.all(code)).flat());
}

/** Path of a Worker's module in a release, relative to the job's folder. */
export function modulePath(number: number, worker: string): string {
  return `releases/${number}/${worker}.js`;
}

/** Removes all releases but these. */
export async function pruneReleases(layout: JobLayout, keep: readonly number[]): Promise<void> {
  for (const number of await releaseNumbers(layout)) {
    if (!keep.includes(number)) await rm(layout.release(number), { recursive: true, force: true });
  }
}

async function releaseNumbers(layout: JobLayout): Promise<number[]> {
  await mkdir(layout.releases, { recursive: true });
  return (await readdir(layout.releases)).map(Number).filter((number) => Number.isInteger(number) && number > 0);
}
