// What the account has of a job's Workers before a change.
import { agentScript } from "#jobs/plan/cloudflare.ts";
import { CliError } from "../../../terminal/cli-error.ts";
import type { Account } from "../account/account.ts";
import { type DeployedWorker, deployedWorker } from "../account/workers.ts";
import { inParallel } from "./in-parallel.ts";
import { ownerOf } from "./upload.ts";

/** Script → what runs of it; undefined where it is new. */
export type Snapshot = ReadonlyMap<string, DeployedWorker | undefined>;

/** Throws CliError for a name that something else has. */
export async function snapshotOf(
  account: Account,
  job: string,
  agents: readonly string[],
  signal: AbortSignal,
): Promise<Snapshot> {
  const all = await inParallel(agents, async (agent) => {
    const script = agentScript(account, job, agent);
    const there = await deployedWorker(account, script, signal);
    if (there !== undefined && there.owner !== ownerOf(account, job, agent)) {
      const whose = there.owner === undefined ? "Troupe did not make" : `belongs to ${there.owner}`;
      throw new CliError(
        "failed",
        `The agent ${agent} needs a Worker named ${script}, but the account has one that ${whose}.`,
        "Rename the agent or the job, or delete that Worker.",
      );
    }
    return [script, there] as const;
  });
  return new Map(all);
}
