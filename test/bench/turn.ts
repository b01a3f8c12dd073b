// One agent turn with the offline model at zero latency, in a session that exists and in a new one, beside the two floors.
import { join } from "node:path";
import { measure, message, type Measured } from "./closed-loop.ts";
import { residentMb } from "./processes.ts";
import type { Bench } from "./servers.ts";
import { figures, fixed, table } from "./table.ts";

/** Turns a session has at most, so that a long transcript is not what is measured. */
const TURNS_A_SESSION = 8;
const LEVELS = [
  { inFlight: 1, requests: 400 },
  { inFlight: 32, requests: 2000 },
  { inFlight: 100, requests: 2000 },
];
const HEAD = ["", "in flight", "p50 ms", "p95 ms", "p99 ms", "req/s", "errors", "RSS MB"];

export async function turn(bench: Bench): Promise<void> {
  const agent = await bench.deploy(join(import.meta.dirname, "jobs", "turn.yaml"), "bench-turn", "summarizer");
  const { modelUrl } = await bench.controlPlane();
  const express = await bench.reference("express-floor.ts", modelUrl);
  const workerd = await bench.reference("workerd-floor.ts");
  const subjects = [
    { name: "in-memory floor", url: `${express.url}/message:send`, pid: express.pid, kind: "new" },
    { name: "durable floor", url: `${workerd.url}/`, pid: workerd.pid, kind: "new" },
    { name: "turn, session exists", url: `${agent.url}/message:send`, pid: agent.pid, kind: "existing" },
    { name: "turn, new session", url: `${agent.url}/message:send`, pid: agent.pid, kind: "new" },
  ] as const;
  const rows: string[][] = [];
  const results = new Map<string, Measured>();
  for (const { inFlight, requests } of LEVELS) {
    for (const { name, url, pid, kind } of subjects) {
      const sessions = kind === "existing" ? await openSessions(url, inFlight, requests) : [];
      const next = (n: number) => ({ url, body: message("hello", sessions[n % sessions.length]) });
      if (kind === "new") await measure({ requests: Math.min(200, requests / 4), inFlight, next });
      const measured = await measure({ requests, inFlight, next });
      results.set(`${name} ${inFlight}`, measured);
      rows.push([name, ...figures(inFlight, measured), fixed(await residentMb(pid), 0)]);
      if (measured.error !== undefined) console.log(`${name}: ${measured.errors} errors, the first: ${measured.error}`);
    }
  }
  console.log(table(HEAD, rows));
  const ratio = (key: "p50" | "perSecond", a: string, b: string) =>
    fixed((results.get(a)?.[key] ?? NaN) / (results.get(b)?.[key] ?? NaN));
  console.log(
    `\np50 of a turn in an existing session / in-memory floor, 1 in flight: ${ratio("p50", "turn, session exists 1", "in-memory floor 1")} (aim ≤ 2)`,
  );
  for (const { inFlight } of LEVELS) {
    const share = ratio("perSecond", `turn, new session ${inFlight}`, `durable floor ${inFlight}`);
    console.log(`req/s of turns in new sessions / durable floor, ${inFlight} in flight: ${share} (aim ≥ 0.5)`);
  }
}

/** Enough sessions with one turn behind them, so that none gets more than its share. */
async function openSessions(url: string, inFlight: number, requests: number): Promise<string[]> {
  const sessions = Array.from({ length: Math.max(inFlight, Math.ceil(requests / TURNS_A_SESSION)) }, () =>
    crypto.randomUUID(),
  );
  await measure({ requests: sessions.length, inFlight, next: (n) => ({ url, body: message("hello", sessions[n]) }) });
  return sessions;
}
