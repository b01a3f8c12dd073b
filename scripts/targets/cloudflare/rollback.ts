// Returns to the Workers of a release that ran before: all of them, or none.
import { performance } from "node:perf_hooks";
import { TROUPE } from "#shared/tracing/names.ts";

import { CliError } from "../../terminal/cli-error.ts";
import type { Io } from "../../terminal/io.ts";
import { checkEdges } from "../hosts/check-edges.ts";
import { stagesOf, traced } from "../local/deploy-trace.ts";
import { jobLayout } from "../local/state/layout.ts";
import { dataDiffer, formerRelease, readRelease } from "../local/state/release.ts";
import { updateJobSecrets } from "../local/state/secrets.ts";
import { writeState } from "../local/state/state.ts";
import type { Deployed, RollbackRequest } from "../target.ts";
import { sameAccount } from "./account/account.ts";
import { knownControlPlane } from "./namespace.ts";
import { allHealthy } from "./healthy.ts";
import { type CloudflareJob, cloudflareStatus } from "./status.ts";
import { addressesOf } from "./upload/addresses.ts";
import { finishChange, withChange } from "./upload/change.ts";
import { changeAddresses } from "./upload/change-addresses.ts";
import { presentAddresses } from "./upload/present-addresses.ts";
import { readVersions } from "./upload/release-versions.ts";
import { restore } from "./upload/restore.ts";
import { snapshotOf } from "./upload/snapshot.ts";

/** The caller holds the job's lock. Throws CliError; then what ran before runs again. */
export async function rollbackOnCloudflare(
  home: string,
  { state, plan: present }: CloudflareJob,
  { to, restoreData }: RollbackRequest,
  io: Io,
): Promise<Deployed> {
  const begun = performance.now();
  const layout = jobLayout(home, state.job);
  const account = await sameAccount(state.cloudflare, process.env, io.signal);
  await finishChange(layout, account, io);
  const controlPlane = await knownControlPlane(home, account);
  return traced(state.job, { io, find: async () => controlPlane }, async (trace) => {
    if (restoreData)
      throw new CliError(
        "bad_input",
        "Cloudflare keeps no copy of a job's data, so --restore-data is not possible there.",
      );
    const release = await formerRelease(layout, state.release, to);
    const plan = await readRelease(layout, release);
    const workers = await readVersions(layout, release);
    dataDiffer(present, plan, { number: release, restore: false });
    trace.root.set({ [TROUPE.release]: release });
    const stage = stagesOf(trace, io);
    const secrets = await updateJobSecrets(layout.secrets, plan.secrets);
    const ids = plan.agents.map(({ id }) => id);
    const before = await snapshotOf(account, state.job, ids, io.signal);
    const wanted = Object.fromEntries(Object.values(workers).map(({ script, version }) => [script, version]));
    const next = { ...state, release, stoppedAt: null, cloudflare: { ...state.cloudflare, workers } };
    await withChange(layout, { account, before, release, io }, async () => {
      await stage("upload", `Returning ${ids.length} Workers`, async () => {
        const failures = await restore(account, wanted, `Troupe release ${release}`, io.signal);
        if (failures.length > 0) throw new CliError("failed", failures.join("\n"));
        const from = await presentAddresses(layout, state, account);
        await changeAddresses(account, { from, to: addressesOf(plan) }, io.signal);
      });
      await stage("prove", "Checking that the agents reach each other", async () => {
        await allHealthy(plan, io);
        await checkEdges({ plan, controlPlane, secrets, signal: io.signal });
      });
      await writeState(layout.state, next);
    });
    return { status: await cloudflareStatus(home, { state: next, plan }), healthyMs: performance.now() - begun };
  });
}
