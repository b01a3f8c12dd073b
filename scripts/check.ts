// `npm run check`: runs all guards side by side and prints a line for each, and what the tool says of those that fail.
// Exit code 1 when any does. What the guards are is in check/guards.ts.
import { fileURLToPath } from "node:url";
import { guards, run, type Guard } from "./check/guards.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const passed = await Promise.all(guards.map(report));
if (passed.includes(false)) process.exitCode = 1;

async function report({ name, args }: Guard): Promise<boolean> {
  const started = performance.now();
  const { code, output } = await run(args, root);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const said = code === 0 ? "ok\n" : `FAILED\n${output.trimEnd()}\n`;
  process.stdout.write(`${name.padEnd(13)} ${seconds.padStart(5)} s  ${said}`);
  return code === 0;
}
