// The words that may stand at the end of a command line: commands, flags, jobs, agents, sessions.
import { TaskState } from "@a2a-js/sdk";

import { deployedPlan } from "../jobs/deployed-job.ts";
import { jobFiles } from "../jobs/job-files.ts";
import { troupeHome } from "../project/project.ts";
import { connect } from "../query/client.ts";
import { deployedJobs } from "../targets/local/state/state.ts";
import type { Command, CommandGroup, Commands } from "../terminal/command.ts";
import { FILES, SHELLS } from "./shells.ts";

const TIMEOUT_MS = 1_500;
const MOST_SESSIONS = 50;

/** `words` are those after `troupe`; the last one is being typed, and may be empty. Never throws. */
export async function candidates(commands: Commands, words: readonly string[]): Promise<string[]> {
  try {
    const typed = words.at(-1) ?? "";
    const all = await fitting(commands, words.slice(0, -1), typed);
    return all.filter((candidate) => candidate === FILES || candidate.startsWith(typed));
  } catch {
    // A shell has no place for a message.
    return [];
  }
}

async function fitting(commands: Commands, before: readonly string[], typed: string): Promise<readonly string[]> {
  let [known, rest]: [Commands, readonly string[]] = [commands, before];
  for (;;) {
    const [word, ...others] = rest;
    if (word === undefined) return [...Object.keys(known), "--help"];
    const load = Object.hasOwn(known, word) ? known[word] : undefined;
    if (load === undefined) return [];
    const command: Command | CommandGroup = (await load()).default;
    if (!("commands" in command)) return ofCommand(command, others, typed);
    [known, rest] = [command.commands, others];
  }
}

async function ofCommand({ options, usage }: Command, before: readonly string[], typed: string) {
  const positionals = before.filter((word, at) => !word.startsWith("-") && !takesValue(options, before[at - 1]));
  const [job] = positionals;
  const flag = before.at(-1);
  if (takesValue(options, flag)) return valuesOf(flag ?? "", job);
  if (typed.startsWith("-")) return [...Object.keys(options).map((name) => `--${name}`), "--help"];
  // Such as `<job> [question]`.
  const place = usage.split(/\s+/)[positionals.length] ?? "";
  if (/bash/.test(place)) return SHELLS;
  if (/job/.test(place)) return [...new Set([...(await deployedJobs(troupeHome())), ...(await jobFiles()).keys()])];
  if (/session/.test(place)) return sessionsOfAll();
  return /agent/.test(place) ? agentsOf(job) : [];
}

function takesValue(options: Command["options"], flag: string | undefined): boolean {
  if (flag === undefined || !flag.startsWith("--")) return false;
  const name = flag.slice(2);
  return Object.hasOwn(options, name) && options[name]?.type === "string";
}

async function valuesOf(flag: string, job: string | undefined): Promise<readonly string[]> {
  switch (flag) {
    case "--agent":
      return agentsOf(job);
    case "--session":
      return sessionsOf(job);
    case "--target":
      return ["local", "ssh://"];
    case "--file":
    case "--corpus":
    case "--hosts":
      return [FILES];
    default:
      return [];
  }
}

async function agentsOf(job: string | undefined): Promise<string[]> {
  return job === undefined ? [] : (await deployedPlan(job)).agents.map(({ id }) => id);
}

/** Those of all jobs that answer. */
async function sessionsOfAll(): Promise<string[]> {
  const jobs = await deployedJobs(troupeHome());
  return (await Promise.all(jobs.map(async (job) => sessionsOf(job).catch(() => [])))).flat();
}

/** Those of the entry point, newest first. */
async function sessionsOf(job: string | undefined): Promise<string[]> {
  if (job === undefined) return [];
  const { agents, entryPoint } = await deployedPlan(job);
  const url = agents.find(({ id }) => id === entryPoint)?.url ?? "";
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const { client } = await connect({ job, url }, signal);
  const { tasks } = await client.listTasks(
    {
      tenant: "",
      contextId: "",
      status: TaskState.TASK_STATE_UNSPECIFIED,
      pageSize: MOST_SESSIONS,
      pageToken: "",
      historyLength: 0,
      statusTimestampAfter: undefined,
    },
    { signal },
  );
  return [...new Set(tasks.map(({ contextId }) => contextId).filter((id) => !id.includes("~")))];
}
