// supervise.sh runs `wake.ts MARK URL…` after a restart: asks each agent's /health, which wakes its sessions and
// registers it, and writes the empty file MARK once all have answered.
import { writeFile } from "node:fs/promises";

import { waitUntilHealthy } from "./health.ts";

const WAIT = { timeoutMs: 60_000, intervalMs: 50, lookMs: 5_000 };

const supervisor = process.ppid;
const never = new AbortController().signal;
const [mark = "", ...urls] = process.argv.slice(2);
const health = await Promise.all(
  urls.map(async (url) => waitUntilHealthy(url, { ...WAIT, ended: never, signal: never })),
);
// The mark is for the supervisor that started this program, not for a later one.
if (health.every((each) => each === "healthy") && process.ppid === supervisor) await writeFile(mark, "");
