// Releases: the plan and the bundles of each deployment, stored so that a restart or a rollback starts exactly the
// same.
import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { Plan } from "#jobs/plan/plan-shape.ts";

import { writeFileAtomically } from "../../../project/atomic-file.ts";
import { type Bundle, bundleOf } from "../../../project/build.ts";
import { CliError } from "../../../terminal/cli-error.ts";
import { troupe } from "../../../terminal/hint.ts";
import type { HttpsFiles } from "../../https-files.ts";
import type { JobLayout } from "./layout.ts";
import { PRIVATE } from "./secrets.ts";

const PLAN_FILE = "plan.json";
/** Holds the time at which the release began to run. */
const KEPT_FILE = "kept";
/** Releases to which a job may return. */
const KEPT_RELEASES = 5;

/** Stores plan and bundles under a new number, and returns it. The release is unused until the job's state names it. */
export async function writeRelease(
  layout: JobLayout,
  plan: Plan,
  bundles: ReadonlyMap<string, Bundle>,
  https: ReadonlyMap<string, HttpsFiles> = new Map(),
): Promise<number> {
  const number = Math.max(0, ...(await releaseNumbers(layout))) + 1;
  const folder = layout.release(number);
  await mkdir(folder, { recursive: true });
  for (const worker of new Set(plan.agents.map((agent) => agent.worker))) {
    await copyFile(bundleOf(bundles, worker).path, join(folder, `${worker}.js`));
  }
  for (const [agent, { certificate, key }] of https) {
    const { privateKeyFile, certificateFile } = httpsPair(number, agent);
    await writeFileAtomically(join(layout.folder, certificateFile), certificate);
    await writeFileAtomically(join(layout.folder, privateKeyFile), key, PRIVATE);
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

/** Remembers that a release runs from now on: only such a release can be returned to. */
export async function markKept(layout: JobLayout, number: number): Promise<void> {
  await writeFileAtomically(join(layout.release(number), KEPT_FILE), new Date().toISOString());
}

export interface Kept {
  readonly number: number;
  /** When it began to run, ISO 8601; null for a release that never did. */
  readonly keptAt: string | null;
}

/** All releases that are stored, the newest first. */
export async function releaseHistory(layout: JobLayout): Promise<Kept[]> {
  const numbers = (await releaseNumbers(layout)).toSorted((a, b) => b - a);
  const keptAt = async (number: number) => readFile(join(layout.release(number), KEPT_FILE), "utf8").catch(() => null);
  return Promise.all(numbers.map(async (number) => ({ number, keptAt: await keptAt(number) })));
}

/**
 * The release to return to: `to`, or the one that ran before the present one. Throws CliError where there is none.
 */
export async function formerRelease(layout: JobLayout, present: number, to: number | undefined): Promise<number> {
  const ran = (await releaseHistory(layout)).filter(({ number, keptAt }) => number !== present && keptAt !== null);
  const found = to === undefined ? ran.find(({ number }) => number < present) : ran.find(({ number }) => number === to);
  if (found !== undefined) return found.number;
  const all = ran.map(({ number }) => number).toReversed();
  if (to === undefined) throw new CliError("bad_input", `No release ran before release ${present}.`);
  throw new CliError(
    "bad_input",
    to === present ? `Release ${to} runs now.` : `There is no release ${to} that ever ran.`,
    all.length === 0 ? "" : `There is: ${all.join(", ")}.`,
  );
}

/** Where a release ran on other machines than those of today. */
export function ranElsewhere({ job }: Plan, release: number, places: readonly string[]): CliError {
  return new CliError(
    "failed",
    `Release ${release} ran on other machines: ${places.join(", ")}.`,
    `Deploy the job there again: ${troupe`deploy ${job}`} --target … or --hosts …`,
  );
}

/**
 * Whether two releases store data in different forms. Throws CliError where `to` cannot read what `from` stores, unless its own data are
 * to be restored.
 */
export function dataDiffer(from: Plan, to: Plan, { number, restore }: { number: number; restore: boolean }): boolean {
  if (to.dataVersion >= from.dataVersion || restore) return to.dataVersion !== from.dataVersion;
  throw new CliError(
    "failed",
    `Release ${number} cannot read the data that the present release stores (version ${from.dataVersion}; it knows ${to.dataVersion}).`,
    "With --restore-data it gets a copy of its own data back; then all is lost that was said and done since the present release runs.",
  );
}

/** Paths of what an agent answers people with over HTTPS, relative to the job's folder. */
export function httpsPair(number: number, agent: string): { privateKeyFile: string; certificateFile: string } {
  const path = `releases/${number}/https.${agent}`;
  return { privateKeyFile: `${path}.key`, certificateFile: `${path}.pem` };
}

/** Path of a Worker's module in a release, relative to the job's folder. */
export function modulePath(number: number, worker: string): string {
  return `releases/${number}/${worker}.js`;
}

/** Removes all but the newest, and `present`. Resolves to those that stay. */
export async function pruneReleases(layout: JobLayout, present: number): Promise<number[]> {
  const numbers = (await releaseNumbers(layout)).toSorted((a, b) => b - a);
  const kept = numbers.filter((number, index) => number === present || index < KEPT_RELEASES);
  const gone = numbers.filter((number) => !kept.includes(number));
  await Promise.all(gone.map(async (number) => rm(layout.release(number), { recursive: true, force: true })));
  return kept;
}

async function releaseNumbers(layout: JobLayout): Promise<number[]> {
  await mkdir(layout.releases, { recursive: true });
  return (await readdir(layout.releases)).map(Number).filter((number) => Number.isInteger(number) && number > 0);
}
