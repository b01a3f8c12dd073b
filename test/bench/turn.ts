// One agent turn with the offline model at zero latency, in a session that exists and in a new one, beside cloudflare/agents and two
// floors. All take turns in every round, each time in another order, so that whatever else the machine does meets all alike.
import { setTimeout as delay } from "node:timers/promises";
import { aims } from "./aims.ts";
import { measure, type Load, type Measured } from "./closed-loop.ts";
import { cpuMs, residentMb } from "./processes.ts";
import { median } from "./quantile.ts";
import type { Bench } from "./servers.ts";
import { figures, fixed, table } from "./table.ts";
import { callAims, timeAims } from "./turn-aims.ts";
import { callsTable, traceCalls } from "./turn-calls.ts";
import { openSessions, SETTLE_MS } from "./turn-sessions.ts";
import { inOrder, startSubjects, type Subject } from "./turn-subjects.ts";

const LEVELS = [
  { inFlight: 1, requests: 150 },
  { inFlight: 32, requests: 600 },
  { inFlight: 100, requests: 1000 },
];
const ROUNDS = 5;
/** Of one subject in one round, at most. The first round warms up. */
const LIMIT_MS = 2_000;
const WARM_MS = 500;
const HEAD = ["median of the rounds", "in flight", "p50 ms", "p95 ms", "p99 ms", "req/s", "errors", "CPU ms", "RSS MB"];

interface Round extends Measured {
  /** Of one turn. */
  readonly cpuMs: number;
  readonly rssMb: number;
}

export async function turn(bench: Bench): Promise<void> {
  const subjects = await startSubjects(bench);
  const rounds = new Map<string, Round[]>();
  const of = (name: string, inFlight: number) => rounds.get(`${name} ${inFlight}`) ?? [];
  for (let round = 0; round <= ROUNDS; round++) {
    for (const level of LEVELS) {
      for (const subject of inOrder(subjects, round)) {
        const result = await oneRound(subject, { ...level, limitMs: round === 0 ? WARM_MS : LIMIT_MS });
        if (round > 0) rounds.set(`${subject.name} ${level.inFlight}`, [...of(subject.name, level.inFlight), result]);
      }
    }
  }
  const rows = LEVELS.flatMap(({ inFlight }) =>
    subjects.map(({ name }) => [name, ...summary(inFlight, of(name, inFlight))]),
  );
  console.log(table(HEAD, rows));
  const calls = await traceCalls(subjects);
  if (calls.size > 0) console.log(`\n${callsTable(calls)}`);
  const times = timeAims((figure, name, inFlight) => of(name, inFlight).map((round) => round[figure]));
  console.log(`\n${aims([...times, ...callAims(calls)])}`);
}

async function oneRound(subject: Subject, level: Omit<Load, "next">): Promise<Round> {
  const { name, pid } = subject;
  const next = await openSessions(subject, level);
  const before = await cpuMs(pid);
  const measured = await measure({ ...level, next });
  await delay(SETTLE_MS);
  if (measured.error !== undefined) console.log(`${name}: ${measured.errors} errors, the first: ${measured.error}`);
  const cpu = ((await cpuMs(pid)) - before) / measured.requests;
  return { ...measured, cpuMs: cpu, rssMb: (await residentMb(pid)) ?? Number.NaN };
}

function summary(inFlight: number, rounds: readonly Round[]): string[] {
  const of = (figure: Exclude<keyof Round, "error">) => median(rounds.map((round) => round[figure]));
  const errors = rounds.reduce((sum, round) => sum + round.errors, 0);
  const times = { p50: of("p50"), p95: of("p95"), p99: of("p99"), perSecond: of("perSecond"), errors };
  return [...figures(inFlight, times), fixed(of("cpuMs")), fixed(of("rssMb"), 0)];
}
