// Deploys a job: builds, chooses ports, stores the release, replaces the running one, and rolls back when the new one
// does not get healthy. Sessions stay in place: data folders belong to agents, not to releases.
import { performance } from "node:perf_hooks";
import { planJob } from "#jobs/plan/plan.ts";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { ownAgents } from "#jobs/schema/remote.ts";
import { TROUPE } from "#shared/tracing/names.ts";
import { buildWorkers } from "../../project/build.ts";
import { CliError, mistakesError } from "../../terminal/cli-error.ts";
import type { LeftOut } from "../../corpus/left-out.ts";
import { prepareCorpus } from "../../corpus/prepare.ts";
import { uploadCorpus } from "../../corpus/upload.ts";
import { checkAgents } from "../../inspection/check-agents.ts";
import { readRemotes } from "../../remotes/read-remotes.ts";
import { type Io, noteIfSlow } from "../../terminal/io.ts";
import { planEnvironment } from "../../project/plan-environment.ts";
import { readHttpsFiles } from "../https-files.ts";
import type { Deployed, DeployRequest } from "../target.ts";
import {
  type ControlPlane,
  ensureControlPlane,
  findControlPlane,
  releaseControlPlane,
} from "./control-plane/control-plane.ts";
import { type DeployTrace, stagesOf, traced } from "./deploy-trace.ts";
import { type JobLayout, jobLayout } from "./state/layout.ts";
import { checkOpenFiles } from "./processes/open-files.ts";
import { choosePorts } from "./processes/choose-ports.ts";
import { unregisterAgents } from "./control-plane/registry.ts";
import { markKept, pruneReleases, readRelease, writeRelease } from "./state/release.ts";
import { knownPorts } from "./processes/known-ports.ts";
import { type Run, startProcesses, stopProcesses } from "./run.ts";
import { ensureSigningKeys } from "./state/secrets.ts";
import { keepData, restoreData } from "./state/snapshot.ts";
import { signedFetch } from "./state/command-line.ts";
import { isUp } from "./processes/processes.ts";
import { JobState, readOrSetAside, writeState } from "./state/state.ts";
import { jobStatus } from "./status.ts";
import { workerdBinary } from "./processes/workerd.ts";

/** Deploys the job; the caller holds its lock. Throws CliError; then the former release runs again, if there was one. */
export async function deployJob(home: string, request: DeployRequest, io: Io): Promise<Deployed> {
  const find = async () => findControlPlane(home);
  return traced(request.job.name, { io, find }, async (trace) => deploy(home, request, trace, io));
}

async function deploy(home: string, request: DeployRequest, trace: DeployTrace, io: Io): Promise<Deployed> {
  const begun = performance.now();
  const { job } = request;
  const layout = jobLayout(home, job.name);
  workerdBinary();
  await checkOpenFiles(io);
  const last = await readOrSetAside(layout.state, JobState, io);
  const wasUp = await isUp(home, job.name);
  const ports = await choosePorts(job, last, wasUp, async () => knownPorts(home));
  const stage = stagesOf(trace, io);
  const built = await stage("build", "Building the Workers", async () => buildWorkers(home));
  await noteIfSlow(io, "Checking the agents", async () => {
    const mistakes = await checkAgents(home, request, built, io.signal);
    if (mistakes.length > 0) throw mistakesError(mistakes);
  });
  const { bundles } = built;
  const remotes = await noteIfSlow(io, "Reading the cards of remote agents", async () =>
    readRemotes(job, await lastRemotes(layout, last), io),
  );
  const publicKeys = await ensureSigningKeys(
    layout.secrets,
    ownAgents(job.agents).map(({ id }) => id),
  );
  const plan = planJob(job, { ...planEnvironment(bundles, ports), publicKeys, remotes, placement: request.placement });
  const corpus = await prepareCorpus(plan, { typed: request.corpus, last: last?.corpus, file: request.file }, io);
  const https = await readHttpsFiles(plan, request.file, io);
  const controlPlane = await stage("control_plane", "Starting the control plane", async () =>
    ensureControlPlane(home, bundles, io, Object.values(ports)),
  );
  const release = await writeRelease(layout, plan, bundles, https);
  trace.root.set({ [TROUPE.release]: release });

  await stage("stop", "Stopping the running release", async () => stopProcesses(home, job.name, last));
  const before = last === undefined ? undefined : await readRelease(layout, last.release).catch(() => undefined);
  const differ = before !== undefined && before.dataVersion !== plan.dataVersion;
  const next: JobState = {
    job: job.name,
    file: request.file,
    release,
    deployedAt: new Date().toISOString(),
    stoppedAt: null,
    ports: Object.fromEntries(plan.agents.map(({ id, socket }) => [id, socket.port])),
    ...(corpus.remember === undefined ? {} : { corpus: corpus.remember }),
  };
  let undo = async () => {};
  try {
    if (last !== undefined && differ) {
      await keepData(layout, last.release);
      undo = async () => restoreData(layout, { release: last.release, present: release });
    }
    await stage("agents", `Waiting for ${plan.agents.length} agents`, async (span) =>
      start(home, plan, next, { controlPlane, span, io }),
    );
  } catch (error) {
    await undo();
    throw await rollBack(home, { last: wasUp ? last : undefined, failed: next, error, controlPlane, trace, io });
  }
  const healthyMs = performance.now() - begun;
  await markKept(layout, release);
  await pruneReleases(layout, release);
  const gone = Object.keys(last?.ports ?? {}).filter((id) => !plan.agents.some((agent) => agent.id === id));
  await unregisterAgents(controlPlane, job.name, gone);
  const leftOut: LeftOut[] = [];
  if (corpus.assignments.length > 0) {
    await trace.stage("corpus", async () => {
      for (const assignment of corpus.assignments) {
        const signing = await signedFetch(home, job.name, assignment.agent.url);
        leftOut.push(...(await uploadCorpus(assignment, signing, io)));
      }
    });
  }
  return { status: await jobStatus(home, next), healthyMs, leftOut };
}

/** The remote agents of the last release, as far as it can be read. */
async function lastRemotes(layout: JobLayout, last: JobState | undefined): Promise<Plan["remotes"]> {
  if (last === undefined) return [];
  return readRelease(layout, last.release).then(
    ({ remotes }) => remotes,
    () => [],
  );
}

/** Stores `state` and starts the processes of its release, whose plan is `plan`. */
export async function start(
  home: string,
  plan: Plan,
  state: JobState,
  run: Pick<Run, "controlPlane" | "span" | "io">,
): Promise<void> {
  const layout = jobLayout(home, state.job);
  await writeState(layout.state, state);
  await startProcesses({ layout, plan, release: state.release, ...run });
}

interface Failure {
  /** State of the release that ran before; undefined when none did. */
  readonly last: JobState | undefined;
  readonly failed: JobState;
  readonly error: unknown;
  readonly controlPlane: ControlPlane;
  readonly trace: DeployTrace;
  readonly io: Io;
}

/** Starts the former release again. Returns the error to throw: the first one, with what became of the job. */
export async function rollBack(home: string, failure: Failure): Promise<unknown> {
  const { last, failed, error, controlPlane, trace, io } = failure;
  const layout = jobLayout(home, failed.job);
  if (last === undefined) {
    await writeState(layout.state, { ...failed, stoppedAt: new Date().toISOString() });
    // The next line may stop the control plane.
    await trace.send(async () => controlPlane, error);
    await releaseControlPlane(home, failed.job);
    return error;
  }
  io.note("The new release did not start; starting the former one again …");
  const uninterrupted: Io = { ...io, signal: new AbortController().signal };
  await trace.stage("roll_back", async (span) => {
    const plan = await readRelease(layout, last.release);
    await start(home, plan, last, { controlPlane, span, io: uninterrupted });
  });
  if (!(error instanceof CliError)) return error;
  return new CliError(error.code, `${error.message}\nThe former release runs again; no session was lost.`, error.next);
}
