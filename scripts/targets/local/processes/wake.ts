// supervise.sh runs `wake.ts URL…` after a restart: asks each agent's /health, which wakes its sessions and registers it.
// Exit code 0 once all have answered.
import { waitUntilHealthy } from "./health.ts";

const WAIT = { timeoutMs: 60_000, intervalMs: 50, lookMs: 5_000 };

const never = new AbortController().signal;
const urls = process.argv.slice(2);
const health = await Promise.all(
  urls.map(async (url) => waitUntilHealthy(url, { ...WAIT, ended: never, signal: never })),
);
if (health.some((each) => each !== "healthy")) process.exitCode = 1;
