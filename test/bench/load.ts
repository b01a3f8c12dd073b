// A thousand research questions at once, each model call at 200 ms: none may fail, and the last are to be answered nearly as soon as the
// machine's cores allow.
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { aims } from "./aims.ts";
import { measure, message, type Measured, type Question } from "./closed-loop.ts";
import { cpuMs, residentMb } from "./processes.ts";
import { QUESTIONS } from "./research.ts";
import type { Bench } from "./servers.ts";
import { figures, fixed, table } from "./table.ts";

const RESEARCH = join(import.meta.dirname, "../../jobs/research-assistant.yaml");
const AT_ONCE = 1000;
/** What a question costs where several share each commit and connection, and none waits long. */
const CALM = { inFlight: 16, requests: 96 };
const ALONE = 5;
const SETTLE_MS = 3_000;
/** One process for each agent, because a process has one event loop: in a single one, the agents would share a core. */
const MORE = `isolation: agent
model: { provider: offline, offline: { ttft: 200ms } }`;

const HEAD = [
  "",
  "in flight",
  "p50 ms",
  "p95 ms",
  "p99 ms",
  "req/s",
  "errors",
  "CPU ms a question",
  "of the busiest process",
];

interface Run extends Measured {
  readonly inFlight: number;
  /** Milliseconds for one question, of each process. */
  readonly cpu: readonly number[];
}

const Answer = z.object({
  task: z.object({ artifacts: z.tuple([z.object({ parts: z.tuple([z.object({ text: z.string() })]) })]) }),
});

export async function load(bench: Bench): Promise<void> {
  const { url, pids } = await bench.deployVariant(RESEARCH, "bench-load", "coordinator", MORE);
  const { pid, modelPid } = await bench.controlPlane();
  const servers = [...pids, pid, modelPid];
  const questions: (() => Question)[] = [];
  for (const text of QUESTIONS) questions.push(await answered(`${url}/message:send`, text));
  const run = async (inFlight: number, requests: number): Promise<Run> => {
    const before = await cpuOf(servers);
    const next = (n: number) => questions[n % questions.length]?.() ?? { url, body: "" };
    const measured = await measure({ requests, inFlight, next });
    await delay(SETTLE_MS);
    const cpu = (await cpuOf(servers)).map((ms, index) => (ms - (before[index] ?? Number.NaN)) / requests);
    return { ...measured, inFlight, cpu };
  };
  const alone = await run(1, ALONE);
  const calm = await run(CALM.inFlight, CALM.requests);
  const crowded = await run(AT_ONCE, AT_ONCE);

  const runs = [alone, calm, crowded];
  const rows = runs.map((one) => [
    "",
    ...figures(one.inFlight, one),
    fixed(sum(one.cpu), 1),
    fixed(Math.max(...one.cpu), 1),
  ]);
  console.log(table(HEAD, rows));
  for (const { error, errors } of runs) if (error !== undefined) console.log(`${errors} errors, the first: ${error}`);
  const memory = await Promise.all(servers.map(residentMb));
  console.log(
    `RSS of the ${servers.length} processes afterwards: ${fixed(sum(memory.map((mb) => mb ?? Number.NaN)), 0)} MB`,
  );

  // All questions need their CPU, which the cores give at best without a pause; and the last one that gets any needs its way through
  // the models, during which nobody computes for it.
  const cores = availableParallelism();
  const ideal = alone.p50 + (AT_ONCE * sum(calm.cpu)) / cores;
  console.log(
    `\nideal p99 = p50 of a question alone + questions × CPU of one, ${CALM.inFlight} in flight / cores\n` +
      `          = ${fixed(alone.p50, 0)} ms + ${AT_ONCE} × ${fixed(sum(calm.cpu), 1)} ms / ${cores} = ${fixed(ideal, 0)} ms\n`,
  );
  // A question that failed early says nothing about the others' time.
  const ratio = crowded.errors === 0 ? crowded.p99 / ideal : Number.NaN;
  console.log(
    aims([
      { what: `errors, ${AT_ONCE} in flight`, values: [crowded.errors], most: 0, digits: 0 },
      { what: "p99 / ideal p99", values: [ratio], most: 1.3 },
    ]),
  );
}

/** CPU time so far in milliseconds: of each of these processes, and of this one, which sends the questions. */
async function cpuOf(pids: readonly number[]): Promise<number[]> {
  return Promise.all([...pids, process.pid].map((pid) => cpuMs(pid)));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Asks the question once: every later answer has to be the same, whoever else asks. */
async function answered(url: string, text: string): Promise<() => Question> {
  const headers = { "content-type": "application/json", "a2a-version": "1.0" };
  const response = await fetch(url, { method: "POST", headers, body: message(text) });
  const { task } = Answer.parse(await response.json());
  const expects = JSON.stringify(task.artifacts[0].parts[0].text);
  return () => ({ url, body: message(text), expects });
}
