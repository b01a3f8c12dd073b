// Deploys a job wherever its agents are placed, and then stops it at the places that it leaves. Its sessions do not move.
import { isSamePlace, LOCAL, type Place } from "#jobs/placement/place.ts";
import { placeAgents } from "#jobs/placement/place-agents.ts";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { reasonOf } from "#shared/text/reason.ts";
import { troupeHome } from "../project/project.ts";
import type { Io } from "../terminal/io.ts";
import { manyLines } from "../terminal/terminal-text.ts";
import { targetOf } from "./choose-target.ts";
import { leaveCloudflare } from "./cloudflare/stop.ts";
import { machineAt } from "./hosts/job-machines.ts";
import { LocalTarget } from "./local/local.ts";
import { releaseControlPlane } from "./local/control-plane/control-plane.ts";
import { isUp } from "./local/processes/processes.ts";
import { stopProcesses } from "./local/run.ts";
import { jobLayout } from "./local/state/layout.ts";
import { readRelease } from "./local/state/release.ts";
import { type JobState, readJobState, writeState } from "./local/state/state.ts";
import type { Deployed, DeployRequest } from "./target.ts";

interface Former {
  readonly state: JobState;
  readonly plan: Plan;
}

/** Throws CliError; then what ran before runs again. */
export async function deployJob(request: DeployRequest, io: Io): Promise<Deployed> {
  const home = troupeHome();
  const { job, placement } = request;
  const target = await targetOf(job, placement);
  const before = await formerly(home, job.name);
  const after = placeAgents(job, placement).places;
  let deployed: Deployed;
  try {
    deployed = await target.deploy(request, io);
  } catch (error) {
    await comeBack(home, before, io);
    throw error;
  }
  if (before !== undefined) await leave(home, before, { places: after, isLocal: target instanceof LocalTarget }, io);
  return deployed;
}

/** What is deployed; undefined where it cannot be read, since the target says so. */
async function formerly(home: string, job: string): Promise<Former | undefined> {
  const state = await readJobState(home, job).catch(() => undefined);
  const plan = state && (await readRelease(jobLayout(home, job), state.release).catch(() => undefined));
  return state && plan && { state, plan };
}

/** A job of this machine alone, whose processes a change of target may have ended. */
async function comeBack(home: string, before: Former | undefined, io: Io): Promise<void> {
  if (
    before === undefined ||
    before.state.hosts !== undefined ||
    before.state.cloudflare !== undefined ||
    before.state.stoppedAt !== null
  )
    return;
  if (await isUp(home, before.state.job)) return;
  const uninterrupted = { ...io, signal: new AbortController().signal };
  await new LocalTarget(home).restart(before.state.job, uninterrupted);
}

interface After {
  readonly places: readonly Place[];
  readonly isLocal: boolean;
}

async function leave(home: string, { state, plan }: Former, after: After, io: Io): Promise<void> {
  const { job } = state;
  const stays = (place: Place) => after.places.some((other) => isSamePlace(place, other));
  const left = (plan.places.length === 0 ? [LOCAL] : plan.places).filter((place) => !stays(place));
  const former = state.cloudflare ?? state.leftCloudflare;
  const isOnCloudflare = after.places.some(({ kind }) => kind === "cloudflare");
  if (state.hosts === undefined && state.cloudflare === undefined && !after.isLocal) {
    if (!stays(LOCAL)) await stopProcesses(home, job, state);
    await releaseControlPlane(home, job);
  }
  for (const place of left) {
    if (place.kind !== "ssh") continue;
    try {
      await (await machineAt(place, job, io.signal)).stop();
    } catch (error) {
      io.signal.throwIfAborted();
      io.note(manyLines(`What ran on ${place.id} may still run there: ${reasonOf(error)}`));
    }
  }
  if (state.cloudflare !== undefined && !isOnCloudflare) {
    await leaveCloudflare(state.cloudflare, plan, io).catch((error: unknown) => {
      io.signal.throwIfAborted();
      io.note(manyLines(`Its Workers on Cloudflare still have their addresses: ${reasonOf(error)}`));
    });
  }
  const present = await readJobState(home, job);
  const all = [...(state.left ?? []).filter((place) => !stays(place)), ...left];
  const distinct = all.filter((place, index) => all.findIndex((other) => isSamePlace(place, other)) === index);
  const keepsWorkers = former !== undefined && !isOnCloudflare;
  if (present === undefined || (distinct.length === 0 && !keepsWorkers)) return;
  await writeState(jobLayout(home, job).state, {
    ...present,
    ...(distinct.length === 0 ? {} : { left: distinct }),
    ...(keepsWorkers ? { leftCloudflare: former } : {}),
  });
}
