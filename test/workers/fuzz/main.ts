// `npm run test:fuzz [-- --requests N --seed N]`: the fuzzed requests of the tests, more of them and others.
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { requests: { type: "string", default: "100000" }, seed: { type: "string", default: String(Date.now()) } },
});
console.log(`${values.requests} requests, --seed ${values.seed}`);
const child = spawn("vitest", ["run", "--project", "workers", "test/workers/fuzz", "--silent"], {
  stdio: "inherit",
  env: { ...process.env, FUZZ_REQUESTS: values.requests, FUZZ_SEED: values.seed },
});
child.on("exit", (code) => process.exit(code ?? 1));
