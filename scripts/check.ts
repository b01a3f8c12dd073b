// `npm run check`: runs all guards side by side, prints a line for each and the findings of those that fail.
// Exit code 1 when any does. What the guards are is in check/guards.ts.
import { fileURLToPath } from "node:url";
import { reasonOf } from "#shared/text/reason.ts";
import type { Finding, Guard } from "./check/guard.ts";
import { guards } from "./check/guards.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const results = await Promise.all(guards.map(report));
if (results.includes(false)) process.exitCode = 1;

/** Prints the guard's line once it is done. False when it failed or could not look. */
async function report(guard: Guard): Promise<boolean> {
  const started = performance.now();
  let findings: Finding[];
  try {
    findings = await guard.find(root);
  } catch (error) {
    findings = [{ rule: "the guard failed", where: guard.name, message: reasonOf(error) }];
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const found = findings.length === 0 ? "ok" : `FAILED, ${findings.length} found`;
  const lines = findings.map(({ rule, where, message }) => `  ${where} ${rule}: ${message}\n`);
  process.stdout.write(`${guard.name.padEnd(13)} ${seconds.padStart(5)} s  ${found}\n${lines.join("")}`);
  return findings.length === 0;
}
