// Takes the addresses of a job's Workers away, and gives them back. The Workers stay, since their sessions would go with them.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

import type { Io } from "../../terminal/io.ts";
import { jobLayout } from "../local/state/layout.ts";
import { type OnCloudflare, writeState } from "../local/state/state.ts";
import type { Deployed } from "../target.ts";
import { type Account, sameAccount } from "./account/account.ts";
import { allHealthy } from "./healthy.ts";
import { type CloudflareJob, cloudflareStatus } from "./status.ts";
import { finishChange } from "./upload/change.ts";
import { inParallel } from "./upload/in-parallel.ts";
import { wrangler } from "./upload/wrangler.ts";
import { COMPATIBILITY_DATE } from "../local/processes/capnp.ts";

/** Resolves to false when it did not run. The caller holds the job's lock. */
export async function stopOnCloudflare(home: string, { state }: CloudflareJob, io: Io): Promise<boolean> {
  const layout = jobLayout(home, state.job);
  const account = await sameAccount(state.cloudflare, process.env, io.signal);
  await finishChange(layout, account, io);
  if (state.stoppedAt !== null) return false;
  await setPublic(account, state.cloudflare, { isPublic: false, signal: io.signal });
  await writeState(layout.state, { ...state, stoppedAt: new Date().toISOString() });
  io.note("Its Workers stay in the account with their sessions, and their heartbeats go on; cleanup removes them.");
  return true;
}

/** The caller holds the job's lock. Throws CliError when an agent does not get healthy. */
export async function startOnCloudflare(home: string, { state, plan }: CloudflareJob, io: Io): Promise<Deployed> {
  const begun = performance.now();
  const layout = jobLayout(home, state.job);
  const account = await sameAccount(state.cloudflare, process.env, io.signal);
  await finishChange(layout, account, io);
  const next = { ...state, stoppedAt: null };
  await setPublic(account, state.cloudflare, { isPublic: true, signal: io.signal });
  await allHealthy(plan, io);
  await writeState(layout.state, next);
  return { status: await cloudflareStatus(home, { state: next, plan }), healthyMs: performance.now() - begun };
}

/** A job that runs elsewhere from now on. */
export async function leaveCloudflare(there: OnCloudflare, io: Io): Promise<void> {
  const account = await sameAccount(there, process.env, io.signal);
  await setPublic(account, there, { isPublic: false, signal: io.signal });
}

/** Gives these Workers their addresses, or takes them away. */
export async function setPublic(
  account: Account,
  { workers }: OnCloudflare,
  { isPublic, signal }: { readonly isPublic: boolean; readonly signal: AbortSignal },
): Promise<void> {
  await inParallel(Object.values(workers), async ({ script }) => {
    const folder = await mkdtemp(join(tmpdir(), "troupe-triggers-"));
    try {
      const config = {
        name: script,
        compatibility_date: COMPATIBILITY_DATE,
        workers_dev: isPublic,
        preview_urls: false,
      };
      await writeFile(join(folder, "wrangler.json"), JSON.stringify(config));
      await wrangler(["triggers", "deploy", "--config", "wrangler.json"], { account, folder, signal });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}
