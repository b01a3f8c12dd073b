// `npm run test:cloudflare [-- <file or flags of vitest>]`: each call of Cloudflare's API fails once, and commands are killed at each step.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const vitest = join(import.meta.dirname, "../../node_modules/vitest/vitest.mjs");
const config = join(import.meta.dirname, "vitest.config.ts");
const args = [vitest, "run", "--config", config, ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
process.exit(status ?? 1);
