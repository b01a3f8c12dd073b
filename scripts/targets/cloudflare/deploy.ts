// Deploys a job whose agents are Workers on Cloudflare: all of them, or none.
import { performance } from "node:perf_hooks";

import { planJob } from "#jobs/plan/plan.ts";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { ownAgents } from "#jobs/schema/remote.ts";
import { TROUPE } from "#shared/tracing/names.ts";

import type { LeftOut } from "../../corpus/left-out.ts";
import { prepareCorpus } from "../../corpus/prepare.ts";
import { uploadCorpus } from "../../corpus/upload.ts";
import { checkAgents } from "../../inspection/check-agents.ts";
import { type Bundle, buildWorkers, bundleOf } from "../../project/build.ts";
import { ownFetch } from "../../project/own-fetch.ts";
import { planEnvironment } from "../../project/plan-environment.ts";
import { readRemotes } from "../../remotes/read-remotes.ts";
import { CliError, mistakesError } from "../../terminal/cli-error.ts";
import { troupe } from "../../terminal/hint.ts";
import { type Io, noteIfSlow } from "../../terminal/io.ts";
import { checkEdges } from "../hosts/check-edges.ts";
import type { ControlPlane } from "../local/control-plane/control-plane.ts";
import { unregisterAgents } from "../local/control-plane/registry.ts";
import { traceSettings } from "../local/control-plane/trace-settings.ts";
import { type DeployTrace, stagesOf, traced } from "../local/deploy-trace.ts";
import { signedFor } from "../local/state/command-line.ts";
import { controlPlaneLayout, jobLayout } from "../local/state/layout.ts";
import { markKept, pruneReleases, writeRelease } from "../local/state/release.ts";
import { ensureSigningKeys, type JobSecrets, secretValues, updateJobSecrets } from "../local/state/secrets.ts";
import { JobState, type OnCloudflare, readOrSetAside, type Uploaded, writeState } from "../local/state/state.ts";
import type { Deployed, DeployRequest } from "../target.ts";
import { type Account, DEFAULT_NAMESPACE, findAccount } from "./account/account.ts";
import { ensureNamespace, knownControlPlane } from "./namespace.ts";
import { allHealthy } from "./healthy.ts";
import { keepWithinLimits } from "./limits.ts";
import { type CloudflareJob, cloudflareStatus } from "./status.ts";
import { addressesOf, afterUpload, changed, isSame } from "./upload/addresses.ts";
import { finishChange, withChange } from "./upload/change.ts";
import { changeAddresses } from "./upload/change-addresses.ts";
import { presentAddresses } from "./upload/present-addresses.ts";
import { agentUpload, type Upload } from "./upload/upload.ts";
import { type Versions, writeVersions } from "./upload/release-versions.ts";
import { snapshotOf } from "./upload/snapshot.ts";
import { sameAs, uploadAll } from "./upload/upload-all.ts";
import { requireFree } from "./upload/zones.ts";

/** Deploys the job; the caller holds its lock. Throws CliError; then the former release runs again, if there was one. */
export async function deployToCloudflare(home: string, request: DeployRequest, io: Io): Promise<Deployed> {
  const { name } = request.job;
  const find = async () => {
    const state = await readOrSetAside(jobLayout(home, name).state, JobState, io);
    if (state?.cloudflare === undefined) return undefined;
    return knownControlPlane(home, { ...state.cloudflare, id: state.cloudflare.account });
  };
  return traced(name, { io, find }, async (trace) => deploy(home, request, trace, io));
}

async function deploy(home: string, request: DeployRequest, trace: DeployTrace, io: Io): Promise<Deployed> {
  const begun = performance.now();
  const { job, placement } = request;
  const layout = jobLayout(home, job.name);
  const stage = stagesOf(trace, io);
  const last = await readOrSetAside(layout.state, JobState, io);
  const there = last?.cloudflare ?? last?.leftCloudflare;
  const account = await stage("connect", "Asking Cloudflare for the account", async () =>
    findAccount(process.env, placement.namespace ?? there?.namespace ?? DEFAULT_NAMESPACE, io.signal),
  );
  requireSame(job.name, there, account);
  await finishChange(layout, account, io);
  const { bundles } = await stage("build", "Building the Workers", async () => checkedBundles(home, request, io));
  const ids = ownAgents(job.agents).map(({ id }) => id);
  const remotes = await readRemotes(job, [], io);
  const publicKeys = await ensureSigningKeys(layout.secrets, ids);
  const cloudflare = { namespace: account.namespace, subdomain: account.subdomain };
  const plan = planJob(job, { ...planEnvironment(bundles, {}), publicKeys, remotes, placement, cloudflare });
  await keepWithinLimits(plan, { account, bundles, io });
  const corpus = await prepareCorpus(plan, { typed: request.corpus, last: last?.corpus, file: request.file }, io);
  const secrets = await updateJobSecrets(layout.secrets, plan.secrets);
  const settings = await traceSettings(controlPlaneLayout(home).settings, io);
  const [present, wanted] = [await presentAddresses(layout, last, account), addressesOf(plan)];
  const before = await stage("preflight", "Looking at what is deployed", async () => {
    const own = new Set([...present, ...wanted].map(({ script }) => script));
    await requireFree(account, changed(present, wanted), own, io.signal);
    return snapshotOf(account, job.name, ids, io.signal);
  });
  const controlPlane = await stage("control_plane", "Deploying the control plane", async () =>
    ensureNamespace(home, account, { bundles, settings, io }),
  );
  const formerly = { ...there?.retired, ...there?.workers };
  const known = Object.values(formerly);
  const uploads = uploadsOf(plan, { account, bundles, secrets, controlPlane, formerly, mayLose: request.mayLoseData });
  const state = (release: number, workers: Versions): CloudflareJob["state"] => ({
    job: job.name,
    file: request.file,
    release,
    deployedAt: new Date().toISOString(),
    stoppedAt: null,
    ports: {},
    cloudflare: { account: account.id, ...cloudflare, workers, retired: without(formerly, ids) },
    ...(corpus.remember === undefined ? {} : { corpus: corpus.remember }),
  });

  let now: CloudflareJob["state"];
  const isUnchanged = uploads.every((upload) => sameAs(upload, known, before) !== undefined);
  if (
    last?.cloudflare !== undefined &&
    last.stoppedAt === null &&
    isUnchanged &&
    isSame(present, wanted) &&
    isSameTeam(last.cloudflare.workers, ids)
  ) {
    now = { ...last, cloudflare: last.cloudflare, file: request.file };
    await writeState(layout.state, now);
  } else {
    const release = await writeRelease(layout, plan, bundles);
    trace.root.set({ [TROUPE.release]: release });
    now = await withChange(layout, { account, before, release, io }, async () => {
      const workers = await stage("upload", `Deploying ${plan.agents.length} Workers`, async () =>
        uploadAll(uploads, { known, before }, { account, message: `Troupe release ${release}`, signal: io.signal }),
      );
      const uploaded = new Set(
        workers.filter((worker) => before.get(worker.script)?.version !== worker.version).map(({ script }) => script),
      );
      const from = afterUpload(present, wanted, uploaded);
      await stage("addresses", "Setting the addresses", async () =>
        changeAddresses(account, { from, to: wanted }, io.signal),
      );
      await stage("prove", "Checking that the agents reach each other", async () => {
        await allHealthy(plan, io);
        await checkEdges({ plan, controlPlane, secrets, signal: io.signal });
      });
      await requireVersions(account, job.name, ids, workers, io.signal);
      const versions = Object.fromEntries(
        plan.agents.flatMap(({ id }, index) => (workers[index] ? [[id, workers[index]]] : [])),
      );
      await writeVersions(layout, release, versions);
      const next = state(release, versions);
      await writeState(layout.state, next);
      return next;
    });
    await markKept(layout, release);
    await pruneReleases(layout, release);
    const gone = Object.keys(last?.cloudflare?.workers ?? {}).filter((id) => !ids.includes(id));
    await unregisterAgents(controlPlane, job.name, gone);
  }
  const healthyMs = performance.now() - begun;
  const leftOut: LeftOut[] = [];
  await trace.stage("corpus", async () => {
    for (const assignment of corpus.assignments) {
      const signing = signedFor(plan, secrets, assignment.agent.url, ownFetch);
      leftOut.push(...(await uploadCorpus(assignment, signing, io)));
    }
  });
  return { status: await cloudflareStatus(home, { state: now, plan }), healthyMs, leftOut };
}

async function checkedBundles(home: string, request: DeployRequest, io: Io) {
  const built = await buildWorkers(home);
  const mistakes = await noteIfSlow(io, "Checking the agents", async () =>
    checkAgents(home, request, built, io.signal),
  );
  if (mistakes.length > 0) throw mistakesError(mistakes);
  return built;
}

/** Throws CliError for a job that would leave its Workers, and their sessions, in another account or namespace. */
function requireSame(job: string, there: OnCloudflare | undefined, account: Account): void {
  if (there === undefined || (there.account === account.id && there.namespace === account.namespace)) return;
  throw new CliError(
    "bad_input",
    `${job} is in the namespace ${there.namespace} of the account ${there.account}, and its sessions do not move.`,
    `Deploy it there, or remove it first: ${troupe`stop ${job}`}, ${troupe`cleanup ${job} --older-than 0s`}`,
  );
}

/** Throws CliError where another command has changed a Worker meanwhile. */
async function requireVersions(
  account: Account,
  job: string,
  ids: readonly string[],
  workers: readonly Uploaded[],
  signal: AbortSignal,
): Promise<void> {
  const now = await snapshotOf(account, job, ids, signal);
  const other = workers
    .filter(({ script, version }) => now.get(script)?.version !== version)
    .map(({ script }) => script);
  if (other.length === 0) return;
  throw new CliError(
    "failed",
    `Somebody else has deployed ${other.join(", ")} meanwhile.`,
    "Deploy a job from one machine at a time.",
  );
}

function without(workers: Versions, ids: readonly string[]): Versions {
  return Object.fromEntries(Object.entries(workers).filter(([id]) => !ids.includes(id)));
}

function isSameTeam(workers: Versions, ids: readonly string[]): boolean {
  return Object.keys(workers).length === ids.length && ids.every((id) => workers[id] !== undefined);
}

interface Material {
  readonly account: Account;
  readonly bundles: ReadonlyMap<string, Bundle>;
  readonly secrets: JobSecrets;
  readonly controlPlane: ControlPlane;
  /** What agents have been, those of earlier releases included. */
  readonly formerly: Versions;
  readonly mayLose: boolean;
}

/** In the order of the plan's agents. */
function uploadsOf(plan: Plan, material: Material): Upload[] {
  const { account, bundles, secrets, controlPlane, formerly, mayLose } = material;
  const values = secretValues(plan.agents, secrets, { job: plan.job, controlPlane: controlPlane.secret });
  return plan.agents.map((agent) =>
    agentUpload(plan, agent, account, {
      bundle: bundleOf(bundles, agent.worker),
      secrets: values,
      lineage: { before: formerly[agent.id]?.steps ?? [], mayLose },
    }),
  );
}
