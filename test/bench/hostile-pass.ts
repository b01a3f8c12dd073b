// One pass over the hostile texts of one size, in a process of its own: `node hostile-pass.ts PASS CHARS` prints what it took.
import { hostileTexts, PASSES } from "../support/hostile-text.ts";

const RUNS = 2;
const [pass = "", chars = ""] = process.argv.slice(2);
const read = PASSES[pass];
if (read === undefined) throw new Error(`There is no pass ${pass}.`);
// Once at the usual size, so that compiling counts at no size.
for (const { text } of hostileTexts(10_000)) timed(text);
const before = process.memoryUsage().rss;
const texts = hostileTexts(Number(chars));
const times = texts.map(({ text, name }) => {
  const runs = Array.from({ length: RUNS }, () => timed(text));
  return { name, ms: Math.min(...runs.map(sum)), holdMs: Math.min(...runs.map((stretches) => Math.max(...stretches))) };
});
const worst = times.reduce((most, one) => (one.holdMs > most.holdMs ? one : most));
const mb = Math.max(0, process.resourceUsage().maxRSS * 1024 - before) / 1e6;
console.log(JSON.stringify({ totalMs: sum(times.map(({ ms }) => ms)), holdMs: worst.holdMs, worst: worst.name, mb }));

/** Milliseconds of processor for each stretch, so that what else the machine does counts little. */
function timed(text: string): number[] {
  const stretches: number[] = [];
  const work = read?.stretches(text);
  for (let isDone = work === undefined; !isDone;) {
    const begun = process.cpuUsage();
    isDone = work?.next().done === true;
    const { user, system } = process.cpuUsage(begun);
    stretches.push((user + system) / 1000);
  }
  return stretches;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
