// Deploys a job whose agents run on hosts. The new release is brought there and proved beside the running one; only then it takes its
// place, on all hosts or on none.
import { performance } from "node:perf_hooks";
import { isSamePlace, placeOf } from "#jobs/placement/place.ts";
import { type Placement, placeAgents } from "#jobs/placement/place-agents.ts";
import { planJob } from "#jobs/plan/plan.ts";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { TROUPE } from "#shared/tracing/names.ts";

import type { LeftOut } from "../../corpus/left-out.ts";
import { prepareCorpus } from "../../corpus/prepare.ts";
import { uploadCorpus } from "../../corpus/upload.ts";
import { checkAgents } from "../../inspection/check-agents.ts";
import { buildWorkers } from "../../project/build.ts";
import { planEnvironment } from "../../project/plan-environment.ts";
import { readRemotes } from "../../remotes/read-remotes.ts";
import { CliError, mistakesError } from "../../terminal/cli-error.ts";
import { type Io, noteIfSlow } from "../../terminal/io.ts";
import { traceSettings } from "../local/control-plane/trace-settings.ts";
import { type DeployTrace, stagesOf, traced } from "../local/deploy-trace.ts";
import { signedFor } from "../local/state/command-line.ts";
import { controlPlaneLayout, type JobLayout, jobLayout } from "../local/state/layout.ts";
import { markKept, pruneReleases, readRelease, writeRelease } from "../local/state/release.ts";
import { ensureOwnControlPlaneSecret, ensureSigningKeys, updateJobSecrets } from "../local/state/secrets.ts";
import { JobState, readOrSetAside, writeState } from "../local/state/state.ts";
import { readHttpsFiles } from "../https-files.ts";
import type { Deployed, DeployRequest } from "../target.ts";
import { controlPlaneAt, controlPlaneOf } from "./job-machines.ts";
import { ensureAuthority } from "./keys/authority.ts";
import { preflight } from "./preflight/preflight.ts";
import { checkEdges } from "./check-edges.ts";
import { choosePlacePorts, type PlacePorts } from "./ports.ts";
import { bringWorkerd, connectAll, makeAllKeys, startAtBoot } from "./prepare.ts";
import { prove, proveTunnels } from "./prove.ts";
import { type Cargo, fingerprint, sendTo } from "./release/cargo.ts";
import { forwardingFetch } from "./forwarding-fetch.ts";
import { allHealthy, flushSpans, type Machines, processNames } from "./run.ts";
import { hostsStatus } from "./status.ts";
import { SPARE_MS, swap, UnknownOutcome } from "./swap.ts";
import { holdTunnels } from "./tunnels/holder.ts";
import { holdAgain } from "./hold-again.ts";

/** Deploys the job; the caller holds its lock. Throws CliError; then the former release runs again, if there was one. */
export async function deployToHosts(home: string, request: DeployRequest, io: Io): Promise<Deployed> {
  const { name } = request.job;
  const layout = jobLayout(home, name);
  const find = async () => {
    const state = await readOrSetAside(layout.state, JobState, io);
    if (state?.hosts === undefined) return undefined;
    return controlPlaneOf(home, { state, plan: await readRelease(layout, state.release) }, io.signal);
  };
  return traced(name, { io, find }, async (trace) => deploy(home, request, trace, io));
}

async function deploy(home: string, request: DeployRequest, trace: DeployTrace, io: Io): Promise<Deployed> {
  const begun = performance.now();
  const { job, placement } = request;
  const layout = jobLayout(home, job.name);
  const stage = stagesOf(trace, io);
  const last = await readOrSetAside(layout.state, JobState, io);
  const placed = placeAgents(job, placement);
  const { places } = placed;
  const built = await stage("build", "Building the Workers", async () => buildWorkers(home));
  await noteIfSlow(io, "Checking the agents", async () => {
    const mistakes = await checkAgents(home, request, built, io.signal);
    if (mistakes.length > 0) throw mistakesError(mistakes);
  });
  const { bundles } = built;
  const remotes = await readRemotes(job, [], io);
  const before = last?.hosts === undefined ? undefined : await readRelease(layout, last.release).catch(() => undefined);
  const { real, trial } = await choosePlacePorts(home, job, last && withoutMoved(last, before, placed));
  const planAt = ({ agents, tlsPorts }: PlacePorts, publicKeys: Readonly<Record<string, string>> = {}): Plan =>
    planJob(job, { ...planEnvironment(bundles, agents), placement, remotes, tlsPorts, publicKeys });
  const draft = planAt(real);
  await updateJobSecrets(layout.secrets, draft.secrets);
  const https = await readHttpsFiles(draft, request.file, io);
  const corpus = await prepareCorpus(draft, { typed: request.corpus, last: last?.corpus, file: request.file }, io);
  const machines = await stage("connect", "Connecting to the hosts", async () => connectAll(places, job.name, io));
  const wanted = [
    { plan: draft, controlPlanePort: real.controlPlanePort },
    { plan: forTrial(planAt(trial)), controlPlanePort: trial.controlPlanePort, isTrial: true },
  ];
  const checked = await stage("preflight", "Checking the hosts", async () =>
    preflight(
      places.flatMap(({ id, kind }) => (kind === "ssh" ? (machines.get(id) ?? []) : [])),
      wanted,
      io,
    ),
  );
  await proveTunnels({ plan: planAt(trial), controlPlanePort: trial.controlPlanePort, machines }, io);
  const workerd = await stage("workerd", "Bringing workerd to the hosts", async () =>
    bringWorkerd(checked, { home, io }),
  );

  const controlPlaneSecret = await ensureOwnControlPlaneSecret(layout.secrets);
  const keys = await makeAllKeys(draft, machines);
  const publicKeys = {
    ...(await ensureSigningKeys(layout.secrets, [])),
    ...Object.fromEntries([...keys].map(([holder, { signing }]) => [holder, signing])),
  };
  const plan = planAt(real, publicKeys);
  const cargo: Cargo = {
    bundles,
    secrets: await updateJobSecrets(layout.secrets, plan.secrets),
    controlPlaneSecret,
    settings: await traceSettings(controlPlaneLayout(home).settings, io),
    authority: await ensureAuthority(layout.authority, job.name),
    keys,
    https,
    workerd,
  };
  const { controlPlanePort, tlsPorts } = real;
  const print = fingerprint(machines, { plan, release: 0, controlPlanePort }, cargo);
  const state = (release: number, deployedAt: string): JobState => ({
    job: job.name,
    file: request.file,
    release,
    deployedAt,
    stoppedAt: null,
    ports: Object.fromEntries(plan.agents.map(({ id, socket }) => [id, socket.port])),
    hosts: { controlPlanePort, tlsPorts, fingerprint: print },
    ...(corpus.remember === undefined ? {} : { corpus: corpus.remember }),
  });

  let now: JobState;
  let gapMs: number | undefined;
  if (last !== undefined && (await isUnchanged(last, print, machines, plan))) {
    now = state(last.release, last.deployedAt);
    await holdTunnels({ plan, controlPlanePort, machines }, io.signal);
    await writeState(layout.state, now);
  } else {
    const release = await writeRelease(layout, plan, bundles);
    const next = state(release, new Date().toISOString());
    trace.root.set({ [TROUPE.release]: release });
    const numbered = { plan, release, controlPlanePort };
    await stage("upload", "Sending the release", async () =>
      Promise.all([...machines.values()].map(async (machine) => sendTo(machine, numbered, cargo))),
    );
    await stage("prove", "Trying the release beside the running one", async (span) =>
      prove({
        plan: forTrial(planAt(trial, publicKeys)),
        controlPlanePort: trial.controlPlanePort,
        machines,
        cargo,
        io,
        span,
      }),
    );
    if (before !== undefined && last?.stoppedAt === null) await flushSpans(before, io.signal);
    const silentMs = await stage("agents", `Starting ${plan.agents.length} agents`, async (span) =>
      swap(
        {
          machines,
          release,
          limitMs: plan.health.timeoutMs * 2 + SPARE_MS,
          dataDiffer: before !== undefined && before.dataVersion !== plan.dataVersion,
          io,
        },
        async (answers) => {
          await allHealthy({ ...numbered, machines, io, span });
          answers();
          const controlPlane = await controlPlaneAt(plan, controlPlanePort, controlPlaneSecret, io.signal);
          await checkEdges({ plan, controlPlane, secrets: cargo.secrets, signal: io.signal });
          await writeState(layout.state, next);
        },
      ),
    ).catch(async (error: unknown) => {
      if (last !== undefined) await writeState(layout.state, last);
      await holdAgain(job.name, { plan: before, state: last }, io);
      throw withOutcome(error, last);
    });
    now = next;
    if (before !== undefined && last?.stoppedAt === null) gapMs = silentMs;
    await keepReleases(layout, machines, release);
    await startAtBoot(machines, checked, io);
  }
  const healthyMs = performance.now() - begun;
  const leftOut: LeftOut[] = [];
  await trace.stage("corpus", async () => {
    for (const assignment of corpus.assignments) {
      const { url } = assignment.agent;
      const signing = signedFor(plan, cargo.secrets, url, forwardingFetch(plan, io.signal));
      leftOut.push(...(await uploadCorpus(assignment, signing, io)));
    }
  });
  const status = await hostsStatus(home, { state: now, plan }, io.signal);
  return { status, healthyMs, leftOut, ...(gapMs === undefined ? {} : { gapMs }) };
}

/** Without the addresses for people, which are still those of the running release. */
function forTrial(plan: Plan): Plan {
  return { ...plan, agents: plan.agents.map(({ https: _, ...agent }) => agent) };
}

/** An agent that moves gets another port, since the old place serves the old one until the new release is there. */
function withoutMoved(last: JobState, before: Plan | undefined, after: Placement): JobState {
  const stays = (id: string): boolean => {
    const from = before?.agents.find((agent) => agent.id === id)?.place;
    const to = after.agents[id];
    if (before === undefined || from === undefined || to === undefined) return false;
    return isSamePlace(placeOf(before, from), placeOf(after, to));
  };
  return { ...last, ports: Object.fromEntries(Object.entries(last.ports).filter(([id]) => stays(id))) };
}

/** Whether exactly this runs already. */
async function isUnchanged(last: JobState, print: string, machines: Machines, plan: Plan): Promise<boolean> {
  if (last.hosts?.fingerprint !== print || last.stoppedAt !== null) return false;
  if (Date.now() - Date.parse(last.deployedAt) > RENEW_MS) return false;
  const all = [...machines].map(async ([id, machine]) => {
    const [current, processes] = await Promise.all([machine.current(), machine.processes(processNames(plan, id))]);
    return current === last.release && processes.every(({ state }) => state === "running");
  });
  return (await Promise.all(all)).every(Boolean);
}

/** Certificates are issued with each release. */
const RENEW_MS = 30 * 24 * 3_600_000;

async function keepReleases(layout: JobLayout, machines: Machines, release: number): Promise<void> {
  await markKept(layout, release);
  const kept = await pruneReleases(layout, release);
  await Promise.all([...machines.values()].map(async (machine) => machine.prune(kept)));
}

/** The error, with what became of the job. */
function withOutcome(error: unknown, last: JobState | undefined): unknown {
  if (!(error instanceof CliError) || error instanceof UnknownOutcome || last === undefined || last.stoppedAt !== null)
    return error;
  return new CliError(error.code, `${error.message}\nThe former release runs again; no session was lost.`, error.next);
}
