// `npm run test:interop [-- FILTER …] [--tck DIR …]`: software of others, real. `--tck`: a checkout of the A2A Technology Compatibility Kit;
// given twice, one of its branch 1.0-dev and one of 0.3.x.
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  options: { tck: { type: "string", multiple: true, default: [] } },
  allowPositionals: true,
});
const args = ["vitest", "run", "--config", "test/interop/vitest.config.ts", ...positionals];
const env = { ...process.env, TCK: JSON.stringify(values.tck.map((folder) => resolve(folder))) };
const child = spawn("npx", args, { stdio: "inherit", env });
child.once("exit", (code) => (process.exitCode = code ?? 1));
