// The steps of a deployment to hosts, as whoever watches it from outside sees them.
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { eventually, type Running } from "../support/deployment.ts";
import type { SshHosts } from "../support/ssh-hosts.ts";

export const STEPS = [
  "connected",
  "the release is there",
  "the trial is there",
  "the trial runs",
  "ended",
  "started",
  "kept",
] as const;
export type Step = (typeof STEPS)[number];

const LIMIT_MS = 90_000;
const LOOK_MS = 5;

export interface Watched extends Running {
  /** Resolves when the deployment has come to this step; to false where it was over before that was seen. */
  reaches(step: Step): Promise<boolean>;
}

/** Starts `troupe deploy` of a job that was deployed before. */
export async function deploySlowly(all: SshHosts, job: string, ...args: readonly string[]): Promise<Watched> {
  const [first] = all.hosts;
  if (first === undefined) throw new Error("There is no host");
  const folder = all.jobFolder(first, job);
  const said = async () => readFile(join(folder, "swap", "said"), "utf8").catch(() => "");
  const releases = async () => readdir(join(folder, "releases"));
  const [saidBefore, before] = [await said(), await releases()];
  const command = all.deployment.start("deploy", ...args);
  let over = false;
  void command.outcome.then(() => (over = true));
  let isNew = false;
  const isAt: Record<Step, () => Promise<boolean>> = {
    connected: async () => (await first.connections()).length > 0,
    "the release is there": async () => (await releases()).some((name) => !before.includes(name)),
    "the trial is there": async () => existsSync(join(folder, "proof", "releases")),
    "the trial runs": async () => existsSync(join(folder, "proof", "processes")),
    ended: async () => says("ended"),
    started: async () => says("started"),
    kept: async () => says("kept"),
  };
  const says = async (word: string): Promise<boolean> => {
    const now = await said();
    // Each change begins with nothing said.
    isNew ||= now !== saidBefore;
    return isNew && now.startsWith(word);
  };
  return {
    ...command,
    async reaches(step) {
      const begun = Date.now();
      while (!(await isAt[step]())) {
        if (over) return false;
        if (Date.now() - begun > LIMIT_MS) throw new Error(`${step} was not reached`);
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
      return true;
    },
  };
}

/** Waits until all hosts have the same release, and nothing changes it. Resolves to its number. */
export async function sameRelease(all: SshHosts, job: string, limitMs: number): Promise<number> {
  const look = async () => {
    const each = all.hosts.map(async (host) => {
      const folder = all.jobFolder(host, job);
      const said = await readFile(join(folder, "swap", "said"), "utf8").catch(() => "kept");
      return /^(kept|back|failed)/.test(said) ? Number(await readFile(join(folder, "current"), "utf8")) : Number.NaN;
    });
    const numbers = new Set(await Promise.all(each));
    const [number = Number.NaN] = numbers;
    return numbers.size === 1 && Number.isInteger(number) ? number : undefined;
  };
  return eventually(look, limitMs, "all hosts have one release");
}
