// A job → what `wrangler dev` runs of it: checked, planned, with secrets of its own.
import { planJob } from "#jobs/plan/plan.ts";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { ownAgents } from "#jobs/schema/remote.ts";
import { type Assignment, prepareCorpus } from "../corpus/prepare.ts";
import { checkAgents } from "../inspection/check-agents.ts";
import type { JobFile } from "../jobs/job-files.ts";
import { type Bundle, buildWorkers } from "../project/build.ts";
import { planEnvironment } from "../project/plan-environment.ts";
import { readRemotes } from "../remotes/read-remotes.ts";
import { traceSettings } from "../targets/local/control-plane/trace-settings.ts";
import {
  ensureOwnControlPlaneSecret,
  ensureSigningKeys,
  type JobSecrets,
  jobToken,
  secretValues,
  updateJobSecrets,
} from "../targets/local/state/secrets.ts";
import { mistakesError } from "../terminal/cli-error.ts";
import type { Io } from "../terminal/io.ts";
import type { DevLayout } from "./layout.ts";
import { DEV_PLACEMENT } from "./places.ts";
import { type DevWorker, devWorkers } from "./workers.ts";

export interface Prepared {
  readonly plan: Plan;
  readonly workers: readonly DevWorker[];
  /** Those of the Workers, each once. */
  readonly bundles: readonly Bundle[];
  /** Documents for agents that take some. */
  readonly corpora: readonly Assignment[];
  readonly secrets: JobSecrets;
  /** The job's at the control plane. */
  readonly token: string;
}

interface Surroundings {
  /** The folder of deployment state. */
  readonly home: string;
  readonly layout: DevLayout;
  /** Of the router. */
  readonly origin: string;
}

/** Throws CliError for sources that do not build, and for all that a deployment refuses, too. */
export async function prepare(file: JobFile, { home, layout, origin }: Surroundings, io: Io): Promise<Prepared> {
  const { job } = file;
  const built = await buildWorkers(home);
  const mistakes = await checkAgents(home, file, built, io.signal);
  if (mistakes.length > 0) throw mistakesError(mistakes);
  const ids = ownAgents(job.agents).map(({ id }) => id);
  const publicKeys = await ensureSigningKeys(layout.secrets, ids);
  const remotes = await readRemotes(job, [], io);
  const facts = { ...planEnvironment(built.bundles, {}), publicKeys, remotes, placement: DEV_PLACEMENT };
  const plan = planJob(job, { ...facts, developmentOrigin: origin });
  const corpus = await prepareCorpus(plan, { typed: undefined, last: undefined, file: file.path }, io);
  const secrets = await updateJobSecrets(layout.secrets, plan.secrets);
  const controlPlane = await ensureOwnControlPlaneSecret(layout.secrets);
  const workers = devWorkers(plan, {
    bundles: built.bundles,
    secrets: secretValues(plan.agents, secrets, { job: job.name, controlPlane }),
    controlPlane: { ...(await traceSettings(layout.settings, io)), TROUPE_SECRET: controlPlane },
  });
  const run = new Set(workers.flatMap(({ bundle }) => bundle?.worker ?? []));
  return {
    plan,
    workers,
    bundles: [...built.bundles.values()].filter(({ worker }) => run.has(worker)),
    corpora: corpus.assignments,
    secrets,
    token: jobToken(controlPlane, job.name),
  };
}
