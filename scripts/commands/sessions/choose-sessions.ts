// Chooses the sessions that a command is about: flags that several commands take, and the jobs to look in.
import { CliError } from "../../terminal/cli-error.ts";
import { troupe } from "../../terminal/hint.ts";
import type { Io } from "../../terminal/io.ts";
import { manyLines } from "../../terminal/terminal-text.ts";
import { timeOf } from "../../terminal/flag-values.ts";
import { requireDeployed } from "../../jobs/deployed-job.ts";
import { troupeHome } from "../../project/project.ts";
import { deployedJobs } from "../../targets/local/state/state.ts";
import { oneOf } from "../../traces/options.ts";
import {
  type Filter,
  findSession,
  type Gathered,
  gather,
  namesOf,
  operatorsOf,
  STATES,
} from "../../sessions/gather.ts";

export const JOB_OPTION = {
  type: "string",
  value: "JOB",
  description: "Look only among the sessions of this job",
} as const;

export const FILTERS = {
  agent: { type: "string", value: "ID", description: "Only sessions that have reached this agent" },
  state: { type: "string", value: "STATE", description: `Only sessions that are ${STATES.join(", ")}` },
  since: { type: "string", value: "TIME", description: "Only sessions with a turn within this time, such as 1h" },
  "older-than": {
    type: "string",
    value: "TIME",
    description: "Only sessions without a turn within this time, such as 30d",
  },
} as const;

type Flags = { readonly [Name in keyof typeof FILTERS]?: string | undefined };

/** Throws CliError for a value that no session can have. */
export function filterOf({ agent, state, since, "older-than": age }: Flags): Filter {
  const now = Date.now();
  return {
    agent,
    state: state === undefined ? undefined : oneOf(state, "--state", STATES),
    since: since === undefined ? undefined : now - timeOf(since, "--since"),
    before: age === undefined ? undefined : now - timeOf(age, "--older-than"),
  };
}

/** The sessions of the named job, else of all jobs that run. Notes what could not be asked. Throws CliError. */
export async function gatherAll(named: string | undefined, io: Io): Promise<Gathered[]> {
  const jobs = named === undefined ? await deployedJobs(troupeHome()) : [await requireDeployed(named)];
  const all: Gathered[] = [];
  const failures: CliError[] = [];
  for (const job of jobs) {
    try {
      all.push(await gather(await operatorsOf(job, io)));
    } catch (error) {
      if (!(error instanceof CliError) || error.code === "interrupted") throw error;
      failures.push(error);
    }
  }
  if (jobs.length === 0)
    throw new CliError("failed", "No job is deployed, so there are no sessions.", `Begin with: ${troupe`start`}`);
  const [failure] = failures;
  if (failure !== undefined && failures.length === jobs.length) throw failure;
  for (const { message } of failures) io.note(manyLines(`Left out: ${message}`));
  return all;
}

/** The job's part and the session that a user named. Throws CliError. */
export async function chooseSession(wanted: string, job: string | undefined, io: Io) {
  const all = await gatherAll(job, io);
  const session = findSession(all, wanted);
  const gathered = all.find(({ sessions }) => sessions.includes(session));
  if (gathered === undefined) throw new Error("A session that was found belongs to a job.");
  return { session, gathered };
}

/** Says which agents did not answer; undefined where all did. */
export function unreachedError({ unreached }: Pick<Gathered, "unreached">, what: string): CliError | undefined {
  if (unreached.length === 0) return undefined;
  return new CliError(
    "failed",
    `${what} ${unreached.map(({ message }) => message).join(" ")}`,
    `When ${namesOf(unreached)} can be reached, run the command again.`,
  );
}
