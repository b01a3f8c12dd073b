// What the log costs a turn: the same loop in the same object with a log that is kept and with one in memory; bytes a step; and how
// soon a turn goes on after its process was killed.
import { resume } from "./resume.ts";
import { startLoggedTurns, type LoggedTurns, type Manner } from "./logged-turns.ts";
import type { Bench } from "./servers.ts";
import { median } from "./quantile.ts";
import { fixed, table } from "./table.ts";

const CASES = [
  { tools: "return", latencyMs: 0, turns: 300, aim: 1.3 },
  { tools: "call out", latencyMs: 0, turns: 300, aim: undefined },
  { tools: "return", latencyMs: 200, turns: 25, aim: 1.02 },
  { tools: "call out", latencyMs: 200, turns: 25, aim: undefined },
] as const;
const WARM = 30;

export async function durability(_: Bench): Promise<void> {
  await using turns = await startLoggedTurns();
  for (const log of [true, false]) await times(turns, { log, tools: "return" }, WARM);
  const rows: string[][] = [];
  for (const { tools, latencyMs, turns: count, aim } of CASES) {
    turns.latencyMs = latencyMs;
    const [kept, inMemory] = await sideBySide(turns, tools, count);
    const ratio = kept / inMemory;
    rows.push([
      `five calls that ${tools}, model ${latencyMs} ms`,
      fixed(inMemory),
      fixed(kept),
      fixed(kept - inMemory),
      fixed(ratio, 3),
      aim === undefined ? "" : `≤ ${aim}`,
    ]);
  }
  console.log(table(["one turn, p50", "in memory ms", "kept ms", "log ms", "ratio", "aim"], rows));
  turns.latencyMs = 0;
  await bytes(turns);
  await resume();
}

/** Medians of turns with and without the log, taken in turns, so that whatever else the machine does falls on both. */
async function sideBySide(turns: LoggedTurns, tools: Manner["tools"], count: number): Promise<[number, number]> {
  const [kept, inMemory]: [number[], number[]] = [[], []];
  for (let n = 0; n < count; n++) {
    kept.push(...(await times(turns, { log: true, tools }, 1)));
    inMemory.push(...(await times(turns, { log: false, tools }, 1)));
  }
  return [median(kept), median(inMemory)];
}

async function times(turns: LoggedTurns, manner: Manner, count: number): Promise<number[]> {
  const measured: number[] = [];
  for (let n = 0; n < count; n++) {
    const begun = performance.now();
    await turns.run(manner);
    measured.push(performance.now() - begun);
  }
  return measured;
}

async function bytes(turns: LoggedTurns): Promise<void> {
  const count = 200;
  const before = await turns.written();
  let steps = 0;
  for (let n = 0; n < count; n++) steps += await turns.run({ log: true, tools: "call out" });
  const after = await turns.written();
  if (before === undefined || after === undefined) return;
  const total = after.disk - before.disk;
  console.log(
    `\n${fixed(total / steps, 0)} bytes written a step, ${fixed(total / count / 1024, 0)} KiB a turn of ${fixed(steps / count, 0)} steps (${fixed((after.calls - before.calls) / count, 1)} writes)`,
  );
}
