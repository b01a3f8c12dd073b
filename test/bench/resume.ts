// How soon a turn goes on after its process was killed and started again, with no client that waits for it.
import { join } from "node:path";

import { TaskState } from "@a2a-js/sdk";

import { connect, saying, send } from "../support/a2a-client.ts";
import { Deployment } from "../support/deployment.ts";
import { CrashJob } from "../e2e/crash/job.ts";
import { Killer } from "../e2e/crash/killer.ts";
import { readLogs } from "../e2e/crash/logs.ts";
import { seeded } from "../e2e/crash/random.ts";
import { Recorder } from "../e2e/crash/recorder.ts";
import { fixed } from "./table.ts";

const LIMIT_MS = 10_000;
/** Where the turns are cut off, twice each; one that has ended is not gone on with, and one that asks waits for its answer. */
const CUTS = ["user", "peer_call", "peer_task", "tool_result", "tool_start"] as const;

export async function resume(): Promise<void> {
  const deployment = await Deployment.create();
  const recorder = await Recorder.start(join(deployment.home, "runs.jsonl"), seeded(1));
  try {
    const job = await CrashJob.deploy({ isolation: "job", supervised: false }, deployment, recorder.url);
    await send(await connect(job.url), saying("What is prompt caching?"));
    const killer = new Killer(job);
    const times: number[] = [];
    for (const after of [...CUTS, ...CUTS]) {
      const killed = killer.kill({ what: "all", when: { after }, alone: true });
      const question = saying("How do Durable Objects store data?", true);
      const ask = async () => send(await connect(job.url), question);
      // A connection from before the last kill is found dead only when it is used; and the kill may come before the answer.
      const asked = ask()
        .catch(ask)
        .catch(() => undefined);
      await killed;
      await asked;
      const { tasks } = await readLogs(job, Date.now() - LIMIT_MS);
      const cut = tasks.filter(({ state }) => state === TaskState.TASK_STATE_WORKING);
      const takenUp = killer.takenUp(cut, Promise.resolve(), LIMIT_MS);
      const begun = await killer.revive();
      const at = await takenUp;
      if (at.size < cut.length) throw new Error(`Not all was gone on with within ${LIMIT_MS} ms.`);
      times.push(...[...at.values()].map((time) => time - begun));
    }
    killer.close();
    times.sort((a, b) => a - b);
    console.log(
      `\nfrom the start of the process to a step of each of ${times.length} turns that were cut off, nobody asking: p50 ${fixed(times[Math.floor(times.length / 2)], 0)} ms, slowest ${fixed(times.at(-1), 0)} ms (aim: 2000)`,
    );
  } finally {
    await deployment.close({ unchecked: true });
    await recorder.close();
  }
}
