// Deploys a job whose agents run on hosts: checks the hosts, brings everything there, replaces the running release, and starts that again when
// the new one does not get healthy.
import { performance } from "node:perf_hooks";
import { placeAgents } from "#jobs/placement/place-agents.ts";
import type { Place } from "#jobs/placement/place.ts";
import { planJob } from "#jobs/plan/plan.ts";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { ownAgents } from "#jobs/schema/remote.ts";
import { TROUPE } from "#shared/tracing/names.ts";

import type { LeftOut } from "../../corpus/left-out.ts";
import { prepareCorpus } from "../../corpus/prepare.ts";
import { uploadCorpus } from "../../corpus/upload.ts";
import { checkAgents } from "../../inspection/check-agents.ts";
import { type Bundle, buildWorkers, bundleOf } from "../../project/build.ts";
import { planEnvironment } from "../../project/plan-environment.ts";
import { readRemotes } from "../../remotes/read-remotes.ts";
import { CliError, mistakesError } from "../../terminal/cli-error.ts";
import { type Io, noteIfSlow } from "../../terminal/io.ts";
import { traceSettings } from "../local/control-plane/trace-settings.ts";
import { CONTROL_PLANE, OFFLINE_MODEL } from "../local/control-plane/worker-configs.ts";
import { type DeploySpan, type DeployTrace, stagesOf, traced } from "../local/deploy-trace.ts";
import { choosePorts } from "../local/processes/choose-ports.ts";
import { knownPorts } from "../local/processes/known-ports.ts";
import { freePorts } from "../local/processes/ports.ts";
import { signedFetch } from "../local/state/command-line.ts";
import { controlPlaneLayout, type JobLayout, jobLayout } from "../local/state/layout.ts";
import { pruneReleases, readRelease, writeRelease } from "../local/state/release.ts";
import { ensureOwnControlPlaneSecret, ensureSigningKeys, updateJobSecrets } from "../local/state/secrets.ts";
import { JobState, readOrSetAside, writeState } from "../local/state/state.ts";
import type { Deployed, DeployRequest } from "../target.ts";
import { controlPlaneOf, machineAt } from "./job-machines.ts";
import { type Authority, endOfCertificate, ensureAuthority, issueCertificate } from "./keys/authority.ts";
import type { PublicKeys } from "./keys/public-keys.ts";
import { makeKeys } from "./machine/host-keys.ts";
import type { Machine } from "./machine/machine.ts";
import {
  AUTHORITY_FILE,
  certificateFile,
  certificateName,
  hostProcesses,
  keyHolders,
} from "./release/host-processes.ts";
import { moduleOf, sendRelease } from "./release/send-release.ts";
import { forwardingFetch } from "./forwarding-fetch.ts";
import { processNames, startOnHosts, stopOnHosts } from "./run.ts";
import { hostsStatus } from "./status.ts";
import { deliverWorkerd } from "./workerd/deliver.ts";

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
  const { places } = placeAgents(job, placement);
  const built = await stage("build", "Building the Workers", async () => buildWorkers(home));
  await noteIfSlow(io, "Checking the agents", async () => {
    const mistakes = await checkAgents(home, request, built, io.signal);
    if (mistakes.length > 0) throw mistakesError(mistakes);
  });
  const { bundles } = built;
  const remotes = await readRemotes(job, [], io);
  const machines = await stage("connect", "Connecting to the hosts", async () =>
    Promise.all(places.map(async (place) => machineAt(place, job.name, io.signal))),
  );
  const ports = await choosePorts(job, last, true, async () => knownPorts(home));
  const hosts = await hostPorts(job, last, ports);
  const workerd = await stage("workerd", "Bringing workerd to the hosts", async () => bringWorkerd(machines, io));

  const secretKey = await ensureOwnControlPlaneSecret(layout.secrets);
  const environment = { ...planEnvironment(bundles, ports), placement, remotes, tlsPorts: hosts.tlsPorts };
  const draft = planJob(job, environment);
  const keys = await makeAllKeys(draft, machines);
  const publicKeys = {
    ...(await ensureSigningKeys(layout.secrets, [])),
    ...Object.fromEntries([...keys].map(([holder, { signing }]) => [holder, signing])),
  };
  const plan = planJob(job, { ...environment, publicKeys });
  const corpus = await prepareCorpus(plan, { typed: request.corpus, last: last?.corpus, file: request.file }, io);
  const secrets = await updateJobSecrets(layout.secrets, plan.secrets);
  const settings = await traceSettings(controlPlaneLayout(home).settings, io);
  const release = await writeRelease(layout, plan, bundles);
  const authority = await ensureAuthority(layout.authority, plan.job);
  trace.root.set({ [TROUPE.release]: release });
  await stage("upload", "Sending the release", async () =>
    Promise.all(
      machines.map(async (machine) => {
        const place = placeIn(places, machine.id);
        const processes = hostProcesses(plan, place, {
          folder: machine.folder,
          module: (worker) => moduleOf(bundleOf(bundles, worker).hash),
          controlPlaneObjects: bundleOf(bundles, CONTROL_PLANE).objects,
          controlPlanePort: hosts.controlPlanePort,
          secrets,
          controlPlaneSecret: secretKey,
          settings,
        });
        const files = await certificates(authority, { plan, place, keys });
        return sendRelease(machine, { number: release, processes, modules: modulesAt(plan, place, bundles), files });
      }),
    ),
  );

  const next: JobState = {
    job: job.name,
    file: request.file,
    release,
    deployedAt: new Date().toISOString(),
    stoppedAt: null,
    ports: Object.fromEntries(plan.agents.map(({ id, socket }) => [id, socket.port])),
    hosts: { ...hosts, certificatesEnd: endOfCertificate(new Date()).toISOString() },
    ...(corpus.remember === undefined ? {} : { corpus: corpus.remember }),
  };
  const before = last?.hosts === undefined ? undefined : { state: last, plan: await readRelease(layout, last.release) };
  const ran = await stage("stop", "Stopping the running release", async () =>
    before === undefined ? false : stopOnHosts(before.plan, io.signal),
  );
  await writeState(layout.state, next);
  const run = { workerd, io };
  try {
    await stage("agents", `Waiting for ${plan.agents.length} agents`, async (span) =>
      startOnHosts({ ...run, plan, release, controlPlanePort: hosts.controlPlanePort, span }),
    );
  } catch (error) {
    if (before === undefined || !ran) {
      await writeState(layout.state, { ...next, stoppedAt: new Date().toISOString() });
      throw error;
    }
    throw await rollBack(layout, before, { ...run, trace, error });
  }
  const healthyMs = performance.now() - begun;
  await pruneReleases(layout, [release, ...(last === undefined ? [] : [last.release])]);
  const leftOut: LeftOut[] = [];
  await trace.stage("corpus", async () => {
    for (const assignment of corpus.assignments) {
      const signing = await signedFetch(home, job.name, assignment.agent.url, forwardingFetch(plan, io.signal));
      leftOut.push(...(await uploadCorpus(assignment, signing, io)));
    }
  });
  return { status: await hostsStatus(home, { state: next, plan }, io.signal), healthyMs, leftOut };
}

function placeIn(places: readonly Place[], id: string): Place {
  const place = places.find((candidate) => candidate.id === id);
  if (place === undefined) throw new Error(`There is no place ${id}`);
  return place;
}

/** The ports of the last release, and fresh ones where there are none. */
async function hostPorts(
  job: DeployRequest["job"],
  last: JobState | undefined,
  agents: Readonly<Record<string, number>>,
): Promise<NonNullable<JobState["hosts"]>> {
  const ids = [...ownAgents(job.agents).map(({ id }) => id), CONTROL_PLANE];
  const fresh = await freePorts(ids.length + 1, new Set(Object.values(agents)));
  const tlsPorts = Object.fromEntries(ids.map((id, index) => [id, last?.hosts?.tlsPorts[id] ?? fresh[index] ?? 0]));
  const { port } = job.control_plane;
  const any = last?.hosts?.controlPlanePort ?? fresh[ids.length] ?? 0;
  return { controlPlanePort: port === 0 ? any : port, tlsPorts };
}

async function bringWorkerd(machines: readonly Machine[], io: Io): Promise<Map<string, string>> {
  const paths = machines.map(
    async ({ id, connection }) => [id, (await deliverWorkerd(connection, "x64", io)).path] as const,
  );
  return new Map(await Promise.all(paths));
}

/** Holder → the public halves of its keys, which are made on its host where they are missing. */
async function makeAllKeys(plan: Plan, machines: readonly Machine[]): Promise<Map<string, PublicKeys>> {
  const made = machines.map(async ({ id, connection, folder }) =>
    Object.entries(await makeKeys(connection, `${folder}/keys`, keyHolders(plan, placeIn(plan.places, id)))),
  );
  return new Map((await Promise.all(made)).flat());
}

interface Held {
  readonly plan: Plan;
  readonly place: Place;
  readonly keys: ReadonlyMap<string, PublicKeys>;
}

/** The authority's certificate, and one for each key holder of the place. */
async function certificates(authority: Authority, { plan, place, keys }: Held): Promise<Record<string, string>> {
  const issued = keyHolders(plan, place).map(async (holder) => {
    const publicKey = keys.get(holder)?.tls ?? "";
    const certificate = await issueCertificate(authority, { publicKey, name: certificateName(plan, holder) });
    return [certificateFile(holder), certificate] as const;
  });
  return { [AUTHORITY_FILE]: authority.certificate, ...Object.fromEntries(await Promise.all(issued)) };
}

function modulesAt(plan: Plan, place: Place, bundles: ReadonlyMap<string, Bundle>) {
  const names = processNames(plan, place.id);
  const workers = new Set([
    ...plan.agents.filter((agent) => agent.place === place.id).map(({ worker }) => worker),
    ...[CONTROL_PLANE, OFFLINE_MODEL].filter((name) => names.includes(name)),
  ]);
  return [...workers].map((worker) => {
    const { path, hash } = bundleOf(bundles, worker);
    return { path, sha256: hash };
  });
}

interface Failure {
  readonly workerd: ReadonlyMap<string, string>;
  readonly trace: DeployTrace;
  readonly error: unknown;
  readonly io: Io;
}

/** Starts the former release again. Returns the error to throw: the first one, with what became of the job. */
async function rollBack(
  layout: JobLayout,
  { state, plan }: { readonly state: JobState; readonly plan: Plan },
  { trace, error, io, workerd }: Failure,
): Promise<unknown> {
  io.note("The new release did not start; starting the former one again …");
  const uninterrupted: Io = { ...io, signal: new AbortController().signal };
  const controlPlanePort = state.hosts?.controlPlanePort ?? 0;
  await trace.stage("roll_back", async (span: DeploySpan) => {
    await writeState(layout.state, state);
    await startOnHosts({ plan, release: state.release, controlPlanePort, workerd, span, io: uninterrupted });
  });
  if (!(error instanceof CliError)) return error;
  return new CliError(error.code, `${error.message}\nThe former release runs again; no session was lost.`, error.next);
}
