// Finds the processes of a job by their locks, also where state.json is damaged or missing.
import { readdir } from "node:fs/promises";

import { jobLayout, type ProcessLayout } from "../state/layout.ts";
import { lockHolder } from "../state/lock.ts";
import type { ProcessIdentity } from "../state/process.ts";
import { supervisorOf } from "./supervisor.ts";
import { hasCode } from "../../../terminal/system-error.ts";

const LOCK = ".lock";

export interface RunningProcess {
  /** An agent's id, or that of the process of all agents. */
  readonly name: string;
  readonly identity: ProcessIdentity;
}

/** All processes of the job, running or not. */
export async function jobProcesses(home: string, job: string): Promise<ProcessLayout[]> {
  const layout = jobLayout(home, job);
  const served = (await names(layout.data)).filter((name) => name.endsWith(LOCK));
  const all = new Set([...served.map((name) => name.slice(0, -LOCK.length)), ...(await names(layout.rooms))]);
  return [...all].map((name) => layout.process(name));
}

/** The running workerds of the job. */
export async function runningProcesses(home: string, job: string): Promise<RunningProcess[]> {
  const all = await jobProcesses(home, job);
  const holders = await Promise.all(all.map(async ({ dataLock }) => lockHolder(dataLock)));
  return all.flatMap(({ name }, index) => {
    const identity = holders[index];
    return identity === undefined ? [] : [{ name, identity }];
  });
}

/** Whether a workerd of the job runs or will be restarted. */
export async function isUp(home: string, job: string): Promise<boolean> {
  const all = await jobProcesses(home, job);
  const alive = await Promise.all(
    all.map(async (own) => (await lockHolder(own.dataLock)) ?? (await supervisorOf(own))),
  );
  return alive.some((identity) => identity !== undefined);
}

async function names(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
}
