// The whole research question: four agents, found, asked and answered, on the offline model as jobs run it (20 ms to the first token).
import { setTimeout as delay } from "node:timers/promises";
import { aims, type Aim } from "./aims.ts";
import { measure, message, type Load } from "./closed-loop.ts";
import { callsOfOne, DiskTrace, EVICTED_MS, noteEvictions } from "./disk-calls.ts";
import { cpuMs, residentMb } from "./processes.ts";
import type { Bench } from "./servers.ts";
import { figures, fixed, table } from "./table.ts";

export const QUESTIONS = [
  "How do Durable Objects store data?",
  "What is an A2A agent card?",
  "How does OpenTelemetry relate to OTLP?",
  "What is prompt caching?",
];
const LEVELS = [
  { inFlight: 1, requests: 20, traced: 8 },
  { inFlight: 8, requests: 80, traced: 16 },
  { inFlight: 32, requests: 160, traced: 32 },
];
/** For spans and indexes that are still written after the last answer. */
const SETTLE_MS = 2_000;
/** Short enough that no object is evicted before the last answer. */
const TRACED_MS = 5_000;
const HEAD = ["", "in flight", "p50 ms", "p95 ms", "p99 ms", "req/s", "errors", "RSS MB"];
const COSTS = [
  "one question",
  "in flight",
  "agents CPU ms",
  "others CPU ms",
  "fsyncs",
  "with eviction",
  "others fsyncs",
];

interface Syncs {
  readonly untilAnswer: number;
  readonly withEviction: number;
  /** Of the control plane. */
  readonly others: number;
}

export async function research(bench: Bench): Promise<void> {
  const { url, pid } = await bench.deploy("research-assistant", "research-assistant", "coordinator");
  const others = await bench.controlPlane();
  const next = (n: number) => ({ url: `${url}/message:send`, body: message(QUESTIONS[n % QUESTIONS.length] ?? "") });
  await measure({ requests: 4, inFlight: 1, next });
  const [rows, costs, syncs]: [string[][], string[][], (Syncs | undefined)[]] = [[], [], []];
  for (const { inFlight, requests, traced } of LEVELS) {
    const used = () => Promise.all([cpuMs(pid), cpuMs(others.pid, others.modelPid)]);
    const before = await used();
    const measured = await measure({ requests, inFlight, next });
    await delay(SETTLE_MS);
    const cpu = (await used()).map((ms, index) => (ms - (before[index] ?? Number.NaN)) / requests);
    if (measured.error !== undefined) console.log(`${measured.errors} errors, the first: ${measured.error}`);
    rows.push(["research question", ...figures(inFlight, measured), fixed(await residentMb(pid), 0)]);
    // Evictions of these sessions must not count as those of the next.
    await delay(EVICTED_MS);
    const calls = await syncsOf(pid, others.pid, { requests: traced, inFlight, limitMs: TRACED_MS, next });
    syncs.push(calls);
    const shown = [...cpu, calls?.untilAnswer, calls?.withEviction, calls?.others];
    costs.push(["", String(inFlight), ...shown.map((value) => fixed(value, 1))]);
  }
  console.log(table(HEAD, rows));
  console.log("\nothers: the control plane, which keeps the traces, and the offline model");
  console.log(table(COSTS, costs));
  const aimsOf = ({ inFlight }: (typeof LEVELS)[number], level: number): Aim[] => {
    const { untilAnswer = Number.NaN, withEviction = Number.NaN } = syncs[level] ?? {};
    return [
      { what: `fsyncs of the agents until the answer, ${inFlight} in flight`, values: [untilAnswer], most: 45 },
      { what: "the same, with eviction", values: [withEviction], most: 52 },
    ];
  };
  console.log(`\n${aims(LEVELS.flatMap(aimsOf))}`);
}

/** Of one question; undefined where strace cannot tell. */
async function syncsOf(agents: number, controlPlane: number, load: Load): Promise<Syncs | undefined> {
  await using trace = await DiskTrace.attach(agents);
  if (trace === undefined) return undefined;
  await using others = await DiskTrace.attach(controlPlane);
  const [before, othersBefore] = [await trace.calls(), await others?.calls()];
  const measured = await measure(load);
  const answered = await trace.calls();
  noteEvictions(`research question, ${load.inFlight} in flight`, measured);
  await delay(EVICTED_MS);
  const [evicted, othersAfter] = [await trace.calls(), await others?.calls()];
  return {
    untilAnswer: callsOfOne(before, answered, measured.requests).syncs,
    withEviction: callsOfOne(before, evicted, measured.requests).syncs,
    others: othersBefore && othersAfter ? callsOfOne(othersBefore, othersAfter, measured.requests).syncs : Number.NaN,
  };
}
