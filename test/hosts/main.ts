// `npm run test:hosts [-- <file or flags of vitest>]`: jobs over hosts whose network breaks, hosts that sleep and boot, commands that are
// killed. Each host is a network namespace of this machine.
import { join } from "node:path";

import { missing, runInside } from "../support/network/namespaces.ts";

const lacks = missing();
if (lacks.length > 0) {
  console.error(`These tests need:\n${lacks.map((what) => `  ${what}`).join("\n")}`);
  process.exit(1);
}
const vitest = join(import.meta.dirname, "../../node_modules/vitest/vitest.mjs");
const config = join(import.meta.dirname, "vitest.config.ts");
process.exit(await runInside([vitest, "run", "--config", config, ...process.argv.slice(2)]));
