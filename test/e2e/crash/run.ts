// One run of the crash harness: deploys, asks questions side by side, kills by the schedule, brings back, waits until every query has
// ended, and then reads what is left.
import { join } from "node:path";

import { TaskState } from "@a2a-js/sdk";

import { Deployment } from "../../support/deployment.ts";
import { checkAccounts } from "./accounts.ts";
import { MANNERS, PersistentClient, type Query } from "./client.ts";
import { ASKED, CrashJob, type Isolation, type Kind } from "./job.ts";
import { Killer } from "./killer.ts";
import { readLogs, type Logs } from "./logs.ts";
import { faultsIn } from "./proof.ts";
import { seeded, type Random } from "./random.ts";
import { Recorder, type Run } from "./recorder.ts";
import { BOUNDARY_NAMES, describe, schedule, type Boundary, type Kill } from "./schedule.ts";
import { checkTraces, type TraceCheck } from "./traces.ts";

export interface Wish extends Kind {
  readonly kills: number;
  readonly seed: number;
  /** Told after each kill. */
  readonly progress?: (line: string) => void;
}

export interface Findings {
  readonly isolation: Isolation;
  readonly kills: number;
  readonly seed: number;
  readonly queries: readonly Query[];
  readonly logs: Logs;
  readonly runs: readonly Run[];
  readonly plan: readonly Kill[];
  /** Right after which boundary of a task its agent was killed → how often. */
  readonly killedAfter: ReadonlyMap<Boundary, number>;
  /** From the beginning of the process to the moment when a task that was cut off had got further, in milliseconds; one for each. */
  readonly resumeMs: readonly number[];
  readonly cutCalls: number;
  readonly cutTokens: number;
  readonly traces: TraceCheck;
  /** All that is wrong, in words. */
  readonly faults: readonly string[];
}

const QUESTIONS = [
  "How do Durable Objects store data?",
  "What is an A2A agent card?",
  "How does OpenTelemetry relate to OTLP?",
  "What is prompt caching?",
  "How do queues differ from workflows?",
];
/** As in worker/define-slow-agent.ts. */
export const ONLY_ONCE: ReadonlySet<string> = new Set(["verify_claim", "extract_key_points"]);
const LANES = 2;
/** For the return of the processes, and then for the next step. */
const RESUME_LIMIT_MS = 12_000;

export async function run({ isolation, supervised, kills, seed, progress }: Wish): Promise<Findings> {
  // Each its own, because how often clients and tools draw depends on time, and the schedule has to be the same each time.
  const plan = schedule(isolation, kills, seeded(seed));
  const random = seeded(seed + 1);
  const deployment = await Deployment.create();
  const recorder = await Recorder.start(join(deployment.home, "runs.jsonl"), seeded(seed + 2));
  try {
    const job = await CrashJob.deploy({ isolation, supervised }, deployment, recorder.url);
    const client = await PersistentClient.connect(job.url, random);
    const queries = [await client.ask(QUESTIONS[0] ?? "", "yes")];
    const killer = new Killer(job);
    const over = new AbortController();
    const lanes = Array.from({ length: LANES }, () => lane(client, random, queries, over.signal));
    const deaths = await killAll(job, killer, client, plan, progress).finally(() => {
      over.abort();
      killer.close();
    });
    await Promise.all(lanes);
    const traces = await checkTraces(job);
    const live = await killer.whileStopped(async () => readLogs(job));
    const accounts = await checkAccounts(job, live.tasks);
    await deployment.succeed("stop", job.name);
    const logs = await readLogs(job);
    const runs = recorder.runs();
    const faults = [
      ...deaths.faults,
      ...faultsIn({ logs, runs, queries, once: ONLY_ONCE, asked: ASKED, excused: excuse(plan) }),
      ...accounts.faults,
      ...traces.faults,
    ];
    return { isolation, kills, seed, plan, queries, logs, runs, ...deaths, ...accounts, traces, faults };
  } finally {
    await deployment.close({ unchecked: true });
    await recorder.close();
  }
}

/** Conversations of one question, and of two, after which they are compacted. */
async function lane(client: PersistentClient, random: Random, queries: Query[], over: AbortSignal): Promise<void> {
  for (let isLong = false; !over.aborted; isLong = !isLong) {
    const first = await client.ask(random.pick(QUESTIONS), random.pick(MANNERS));
    queries.push(first);
    if (!isLong || over.aborted) continue;
    queries.push(await client.ask(random.pick(QUESTIONS), random.pick(MANNERS), first.contextId));
    queries.push(await client.ask("/compact", "yes", first.contextId));
  }
}

interface Deaths {
  readonly killedAfter: ReadonlyMap<Boundary, number>;
  readonly resumeMs: readonly number[];
  readonly faults: readonly string[];
}

async function killAll(
  job: CrashJob,
  killer: Killer,
  client: PersistentClient,
  plan: readonly Kill[],
  progress: Wish["progress"],
): Promise<Deaths> {
  const killedAfter = new Map<Boundary, number>(BOUNDARY_NAMES.map((name) => [name, 0]));
  const resumeMs: number[] = [];
  const faults: string[] = [];
  for (const [index, kill] of plan.entries()) {
    const since = Date.now() - 10_000;
    const over = Promise.withResolvers<void>();
    const { names, inTime } = await killer.kill(kill);
    if (kill.alone) client.holdUntil(over.promise);
    if ("after" in kill.when) {
      const { after } = kill.when;
      if (inTime) killedAfter.set(after, (killedAfter.get(after) ?? 0) + 1);
      else faults.push(`No task of ${kill.what} came to the boundary ${after} in time.`);
    }
    const { tasks } = await killer.whileStopped(async () => readLogs(job, since));
    const isKilled = (agent: string) => names.includes(agent) || names.includes("all-agents");
    const cut = tasks.filter(({ state, agent }) => state === TaskState.TASK_STATE_WORKING && isKilled(agent));
    const reviving = killer.revive();
    const resumed = cut.length > 0 ? killer.takenUp(cut, reviving, RESUME_LIMIT_MS) : undefined;
    const begun = await reviving;
    const times = await resumed;
    over.resolve();
    for (const task of cut) {
      const at = times?.get(task);
      if (at === undefined)
        faults.push(`Nobody went on with ${task.id} of ${task.agent} within ${RESUME_LIMIT_MS} ms.`);
      else resumeMs.push(at - begun);
    }
    progress?.(`${index + 1}/${plan.length} ${describe(kill)}: ${cut.length} tasks at work`);
  }
  return { killedAfter, resumeMs, faults };
}

/** While the control plane is gone, a query's account may be out of reach for good. */
function excuse(plan: readonly Kill[]): RegExp | undefined {
  if (!plan.some(({ what }) => what === "control-plane")) return undefined;
  return /^The account of the query cannot be reached/;
}
