// What grows: the cost of a turn with the length of its session, and memory with the number of sessions.
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { aims, type Aim } from "./aims.ts";
import { measure, message } from "./closed-loop.ts";
import { DiskTrace } from "./disk-calls.ts";
import { bytesRead, cpuMs, residentMb } from "./processes.ts";
import type { Bench } from "./servers.ts";
import { fixed, table } from "./table.ts";

const TURN = join(import.meta.dirname, "jobs/turn.yaml");
/** Sessions that go on to the late turns. */
const LONG = 4;
/** Others that do not, so that early turns are enough to be measured. */
const SHORT = 16;
/** From turn `first` on: so many of which the CPU is measured, then so many of which the disk is. */
const EARLY = { first: 3, cpuTurns: 3, diskTurns: 3 };
const LATE = { first: 496, cpuTurns: 10, diskTurns: 100 };
/** A session in memory reads nothing but, now and then, what a checkpoint moves: less than a page a turn is no growth. */
const PAGE_KB = 4;

const SESSIONS = 10_000;
const IDLE_MS = 60_000;

type Turns = typeof EARLY;

/** Of one turn. */
interface Cost {
  readonly cpuMs: number;
  readonly readKb: number;
}

export async function growth(bench: Bench): Promise<void> {
  const turns = await longSessions(bench);
  const memory = await manySessions(bench);
  console.log(`\n${aims([...turns, memory])}`);
}

async function longSessions(bench: Bench): Promise<Aim[]> {
  const { url, pid } = await bench.deployVariant(TURN, "bench-growth-turns", "summarizer");
  const sessions = Array.from({ length: LONG + SHORT }, () => crypto.randomUUID());
  const long = sessions.slice(0, LONG);
  await talk(url, sessions, EARLY.first - 1);
  const early = await costOf(url, pid, sessions, EARLY);
  await talk(url, long, LATE.first - EARLY.first - EARLY.cpuTurns - EARLY.diskTurns);
  const late = await costOf(url, pid, long, LATE);
  const rows = [
    [`from the ${EARLY.first}rd on`, fixed(early.cpuMs), fixed(early.readKb, 1)],
    [`from the ${LATE.first}th on`, fixed(late.cpuMs), fixed(late.readKb, 1)],
  ];
  console.log(table(["turns of a session", "CPU ms a turn", "KB read a turn"], rows));
  const pages = ({ readKb }: Cost) => Math.max(readKb, PAGE_KB);
  return [
    { what: "CPU of a turn around the 500th / around the 5th", values: [late.cpuMs / early.cpuMs], most: 2 },
    { what: "KB read from disk, likewise (a page at least)", values: [pages(late) / pages(early)], most: 1.3 },
  ];
}

async function costOf(
  url: string,
  pid: number,
  sessions: readonly string[],
  { cpuTurns, diskTurns }: Turns,
): Promise<Cost> {
  const cpuBefore = await cpuMs(pid);
  await talk(url, sessions, cpuTurns);
  const cpu = (await cpuMs(pid)) - cpuBefore;
  await using trace = await DiskTrace.attach(pid);
  // Without strace, what /proc counts: reads of pipes, too.
  const read = trace ? async () => (await trace.calls()).readBytes : async () => bytesRead(pid);
  const readBefore = await read();
  await talk(url, sessions, diskTurns);
  const bytes = (await read()) - readBefore;
  return { cpuMs: cpu / sessions.length / cpuTurns, readKb: bytes / sessions.length / diskTurns / 1024 };
}

/** So many turns in each session, one after the other. */
async function talk(url: string, sessions: readonly string[], turns: number): Promise<void> {
  const next = (n: number) => ({
    url: `${url}/message:send`,
    body: message("hello", sessions[n % sessions.length]),
  });
  const { error } = await measure({ requests: sessions.length * turns, inFlight: 1, next });
  if (error !== undefined) throw new Error(`A turn failed: ${error}`);
}

async function manySessions(bench: Bench): Promise<Aim> {
  const { url, pid } = await bench.deployVariant(TURN, "bench-growth-sessions", "summarizer");
  const rows = [["0", "", fixed(await residentMb(pid), 0)]];
  const memory: number[] = [];
  for (const half of [1, 2]) {
    const next = () => ({ url: `${url}/message:send`, body: message("hello") });
    const { error, errors, perSecond } = await measure({ requests: SESSIONS, inFlight: 32, next });
    if (error !== undefined) console.log(`${errors} errors, the first: ${error}`);
    await delay(IDLE_MS);
    const mb = (await residentMb(pid)) ?? Number.NaN;
    memory.push(mb);
    rows.push([String(half * SESSIONS), fixed(perSecond, 0), fixed(mb, 0)]);
  }
  console.log(`\n${table(["sessions, then a minute idle", "req/s", "RSS MB"], rows)}`);
  const [first = Number.NaN, second = Number.NaN] = memory;
  return { what: `RSS after ${2 * SESSIONS} sessions / after ${SESSIONS}`, values: [second / first], most: 1.1 };
}
