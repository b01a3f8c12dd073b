// Takes the addresses of a job's Workers away, and gives them back. The Workers stay, since their sessions would go with them.
import { performance } from "node:perf_hooks";

import type { Plan } from "#jobs/plan/plan-shape.ts";
import type { Io } from "../../terminal/io.ts";
import { jobLayout } from "../local/state/layout.ts";
import { type OnCloudflare, writeState } from "../local/state/state.ts";
import type { Deployed } from "../target.ts";
import { sameAccount } from "./account/account.ts";
import { allHealthy } from "./healthy.ts";
import { type CloudflareJob, cloudflareStatus } from "./status.ts";
import { finishChange } from "./upload/change.ts";
import { addressesOf, hidden } from "./upload/addresses.ts";
import { changeAddresses } from "./upload/change-addresses.ts";

/** Resolves to false when it did not run. The caller holds the job's lock. */
export async function stopOnCloudflare(home: string, { state, plan }: CloudflareJob, io: Io): Promise<boolean> {
  const layout = jobLayout(home, state.job);
  const account = await sameAccount(state.cloudflare, process.env, io.signal);
  await finishChange(layout, account, io);
  if (state.stoppedAt !== null) return false;
  const from = addressesOf(plan);
  await changeAddresses(account, { from, to: hidden(from) }, io.signal);
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
  await changeAddresses(account, { from: [], to: addressesOf(plan) }, io.signal);
  await allHealthy(plan, io);
  await writeState(layout.state, next);
  return { status: await cloudflareStatus(home, { state: next, plan }), healthyMs: performance.now() - begun };
}

/** A job that runs elsewhere from now on. */
export async function leaveCloudflare(there: OnCloudflare, plan: Plan, io: Io): Promise<void> {
  const account = await sameAccount(there, process.env, io.signal);
  const from = addressesOf(plan);
  await changeAddresses(account, { from, to: hidden(from) }, io.signal);
}
