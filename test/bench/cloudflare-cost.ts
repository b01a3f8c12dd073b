// What a job would be billed for at Cloudflare: for a question, and for each interval without one. jobs/plan/cloudflare/measured.ts keeps
// the figures for estimates.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

import { JOBS_FOLDER } from "../../scripts/project/project.ts";
import { CountedJob } from "./cloudflare/counted-job.ts";
import type { Counts } from "./cloudflare/counting.ts";
import { cpuMs } from "./processes.ts";
import { QUESTIONS } from "./research.ts";
import { fixed, table } from "./table.ts";

const run = promisify(execFile);
/** The offline model as jobs run it, and as slow as a model far away. */
const MODELS = [
  { name: "offline", model: "", asked: 20 },
  { name: "4 s a model call", model: "model: { offline: { ttft: 4s } }\n", asked: 4 },
];
/** For reports, spans and indexes that are written after the last answer. */
const SETTLE_MS = 4_000;
const BEATS_MS = 30_000;
const HEAD = [
  "",
  "bindings",
  "object requests",
  "alarms",
  "rows read",
  "rows written",
  "active s",
  "stored KB",
  "CPU ms",
];

export async function cloudflareCost(): Promise<void> {
  const text = await readFile(join(JOBS_FOLDER, "research-assistant.yaml"), "utf8");
  const rows: string[][] = [];
  for (const model of MODELS) rows.push(...(await questions(text, model)));
  console.log(table(HEAD, [...rows, ...(await heartbeats(text))]));
}

/** Without heartbeats. The first question, which reads cards and makes tables, is not counted. */
async function questions(text: string, { name, model, asked }: (typeof MODELS)[number]): Promise<string[][]> {
  await using job = await CountedJob.start(`${text}\nheartbeat: { interval: 1h }\n${model}`);
  await job.ask(QUESTIONS[0] ?? "");
  await delay(SETTLE_MS);
  const [before, cpuBefore] = [await job.counts(), await cpuOfWorkers()];
  for (let n = 0; n < asked; n++) await job.ask(QUESTIONS[n % QUESTIONS.length] ?? "");
  await delay(SETTLE_MS);
  const [after, cpu] = [await job.counts(), await cpuOfWorkers()];
  const each = Object.keys(after).map((script) => [script, share(after[script], before[script], asked)] as const);
  const all = each.map(([, counts]) => counts).reduce(sum);
  return [
    ...each.map(([script, counts]) => row(`question, ${name}, ${script}`, counts)),
    row(`question, ${name}`, all, (cpu - cpuBefore) / asked),
  ];
}

/** With a heartbeat a second. */
async function heartbeats(text: string): Promise<string[][]> {
  await using job = await CountedJob.start(`${text}\nheartbeat: { interval: 1s }\n`);
  await delay(SETTLE_MS);
  const before = await job.counts();
  await delay(BEATS_MS);
  const after = await job.counts();
  const beats = (BEATS_MS / 1_000) * job.plan.agents.length;
  const all = Object.keys(after).map((script) => share(after[script], before[script], beats));
  return [row("heartbeat", all.reduce(sum))];
}

function share(after: Counts | undefined, before: Counts | undefined, parts: number): Counts {
  const of = (name: keyof Counts) => ((after?.[name] ?? 0) - (before?.[name] ?? 0)) / parts;
  return {
    invocations: of("invocations"),
    objectRequests: of("objectRequests"),
    alarms: of("alarms"),
    rowsRead: of("rowsRead"),
    rowsWritten: of("rowsWritten"),
    activeMs: of("activeMs"),
    stored: of("stored"),
  };
}

function sum(one: Counts, other: Counts): Counts {
  return share(one, share({ ...other }, undefined, -1), 1);
}

function row(name: string, counts: Counts, cpu?: number): string[] {
  const { invocations, objectRequests, alarms, rowsRead, rowsWritten, activeMs, stored } = counts;
  const figures = [invocations, objectRequests, alarms, rowsRead, rowsWritten, activeMs / 1_000, stored / 1_000, cpu];
  return [name, ...figures.map((value) => fixed(value, 2))];
}

/** Of the workerd that runs them all. */
async function cpuOfWorkers(): Promise<number> {
  const { stdout } = await run("ps", ["-o", "pid=,comm=", "--ppid", String(process.pid)]);
  const pids = stdout.split("\n").flatMap((line) => (line.includes("workerd") ? [Number.parseInt(line, 10)] : []));
  return cpuMs(...pids);
}
