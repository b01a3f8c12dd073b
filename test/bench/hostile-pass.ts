// One pass over the hostile texts of one size, in a process of its own: `node hostile-pass.ts PASS CHARS` prints what it took.
import { hostileTexts, PASSES } from "../support/hostile-text.ts";

const RUNS = 2;
const [pass = "", chars = ""] = process.argv.slice(2);
const read = PASSES[pass];
if (read === undefined) throw new Error(`There is no pass ${pass}.`);
// Once at the usual size, so that compiling counts at no size.
for (const { text } of hostileTexts(10_000)) read(text);
const before = process.memoryUsage().rss;
const texts = hostileTexts(Number(chars));
const times = texts.map(({ text, name }) => ({
  name,
  ms: Math.min(...Array.from({ length: RUNS }, () => time(text))),
}));
const worst = times.reduce((most, one) => (one.ms > most.ms ? one : most));
const mb = Math.max(0, process.resourceUsage().maxRSS * 1024 - before) / 1e6;
const totalMs = times.reduce((sum, { ms }) => sum + ms, 0);
console.log(JSON.stringify({ totalMs, worstMs: worst.ms, worst: worst.name, mb }));

/** Milliseconds of processor, so that what else the machine does counts little. */
function time(text: string): number {
  const begun = process.cpuUsage();
  read?.(text);
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000;
}
