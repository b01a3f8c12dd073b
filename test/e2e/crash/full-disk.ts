// A disk that is full in the middle of a turn, and has room again later. Run as a program of its own, inside a namespace of its own
// (`unshare -Urm`), because it mounts a small file system where the job keeps all it has. Prints its findings as JSON.
import { execFile } from "node:child_process";
import { mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

import { JOB_PROCESS, jobLayout } from "../../../scripts/targets/local/state/layout.ts";
import { Deployment, eventually } from "../../support/deployment.ts";
import { Status } from "../shapes.ts";
import { checkAccounts } from "./accounts.ts";
import { PersistentClient } from "./client.ts";
import { ASKED, CrashJob, nameOf } from "./job.ts";
import { Killer } from "./killer.ts";
import { readLogs } from "./logs.ts";
import { faultsIn } from "./proof.ts";
import { seeded } from "./random.ts";
import { Recorder } from "./recorder.ts";
import { ONLY_ONCE } from "./run.ts";

const run = promisify(execFile);
const SIZE = "20m";
/** Writes to logs before the disk is full: one turn each, at a moment of its own. */
const MOMENTS = [2, 13, 24];
const FULL_MS = 2_500;
const LIMIT_MS = 20_000;

const random = seeded(1);
const deployment = await Deployment.create();
const recorder = await Recorder.start(join(deployment.home, "runs.jsonl"), random);
const layout = jobLayout(join(deployment.home, ".troupe"), nameOf("job"));
await mkdir(layout.folder, { recursive: true });
await run("mount", ["-t", "tmpfs", "-o", `size=${SIZE}`, "tmpfs", layout.folder]);
try {
  const job = await CrashJob.deploy({ isolation: "job", supervised: true }, deployment, recorder.url);
  const client = await PersistentClient.connect(job.url, random);
  const queries = [await client.ask("What is prompt caching?", "yes")];
  const killer = new Killer(job);
  const ballast = join(layout.folder, "ballast");
  const endedWhileFull: string[] = [];
  for (const writes of MOMENTS) {
    const moment = killer.writes(writes);
    const asked = client.ask("How do Durable Objects store data?", "yes");
    let [isFull, ended] = [false, false];
    const watched = asked.then((query) => {
      ended = true;
      if (isFull) endedWhileFull.push(query.taskId);
      return query;
    });
    await moment;
    await fill(ballast);
    isFull = !ended;
    await delay(FULL_MS);
    isFull = false;
    await rm(ballast);
    queries.push(await watched);
  }
  killer.close();
  const { tasks } = await killer.whileStopped(async () => readLogs(job));
  const accounts = await checkAccounts(job, tasks);
  await fill(ballast);
  await deployment.succeed("stop", job.name);
  const stopped = Status.parse(await deployment.json("status", job.name));
  await rm(ballast);
  const logs = await readLogs(job);
  const runs = recorder.runs();
  const log = await readFile(layout.process(JOB_PROCESS).log, "utf8");
  const faults = [
    ...faultsIn({ logs, runs, queries, once: ONLY_ONCE, asked: ASKED, excused: undefined }),
    ...accounts.faults,
  ];
  const failedWrites = log.match(/database or disk is full|SQLITE_FULL|No space left on device/g)?.length ?? 0;
  const resumed = logs.tasks.filter(({ lives }) => lives > 1).length;
  const left = [stopped.state, ...stopped.processes.map(({ state }) => state)];
  console.log(JSON.stringify({ faults, failedWrites, resumed, endedWhileFull, queries: queries.length, left }));
} finally {
  await deployment.succeed("stop", "--all");
  await run("umount", ["-l", layout.folder]);
  await deployment.close({ unchecked: true });
  await recorder.close();
}

/** Writes until there is no room for a single byte. */
async function fill(path: string): Promise<void> {
  const file = await open(path, "w");
  const block = new Uint8Array(4096);
  const isFull = async () => {
    try {
      for (;;) await file.write(block);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOSPC") return true;
      throw error;
    }
  };
  await eventually(isFull, LIMIT_MS, "the disk is full");
  await file.close();
}
