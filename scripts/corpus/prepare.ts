// Which documents which agent of a job gets: decided and read before anything is deployed, so that a wrong folder
// changes nothing.
import { dirname, join, resolve } from "node:path";

import type { Plan, PlannedAgent } from "#jobs/plan/plan-shape.ts";

import { CliError } from "../terminal/cli-error.ts";
import { troupe } from "../terminal/hint.ts";
import type { Io } from "../terminal/io.ts";
import { JOBS_FOLDER, shown } from "../project/project.ts";
import { type Corpus, readCorpus } from "./walk.ts";

/** The class by which a Worker shows that it takes documents. */
const CORPUS_CLASS = "Corpus";

export interface Folder {
  /** Absolute. */
  readonly folder: string;
  /** As typed: what the documents' paths begin with. */
  readonly label: string;
}

export interface Assignment {
  readonly agent: PlannedAgent;
  readonly corpus: Corpus;
}

export interface Prepared {
  readonly assignments: readonly Assignment[];
  /** The folder that the user typed, now or at an earlier deployment. */
  readonly remember: Folder | undefined;
}

interface Wishes {
  /** The value of --corpus. */
  readonly typed: string | undefined;
  /** What --corpus said at an earlier deployment. */
  readonly last: Folder | undefined;
  /** The job file; a corpus that it names is relative to it. */
  readonly file: string;
}

/** Reads the folders. --corpus wins over an earlier --corpus, that over the job file, that over jobs/corpus. */
export async function prepareCorpus(plan: Plan, wishes: Wishes, io: Io): Promise<Prepared> {
  const remember = wishes.typed === undefined ? wishes.last : { folder: resolve(wishes.typed), label: wishes.typed };
  const takers = plan.agents.filter(takesDocuments);
  if (wishes.typed !== undefined && takers.length === 0) {
    throw new CliError("bad_input", `No agent of ${plan.job} takes documents.`, "Leave --corpus out.");
  }
  const read = new Map<string, Corpus>();
  const assignments: Assignment[] = [];
  for (const agent of takers) {
    const folder = remember ?? folderOf(agent, wishes.file);
    if (folder === undefined) continue;
    const known = read.get(folder.folder);
    const corpus = known ?? (await readAgain(plan.job, folder, wishes, io));
    if (corpus === undefined) break;
    read.set(folder.folder, corpus);
    assignments.push({ agent, corpus });
  }
  return { assignments, remember };
}

/** The folder's documents; undefined when it was typed at an earlier deployment and cannot be read now: what is indexed stays. */
async function readAgain(job: string, folder: Folder, { typed, last }: Wishes, io: Io): Promise<Corpus | undefined> {
  try {
    return await readCorpus(folder.folder, folder.label, io);
  } catch (error) {
    if (typed !== undefined || last === undefined || !(error instanceof CliError)) throw error;
    io.note(
      `${error.message} The job goes on with the documents that it has indexed. To change them: ${troupe`deploy ${job} --corpus DIR`}`,
    );
    return undefined;
  }
}

function takesDocuments(agent: PlannedAgent): boolean {
  return agent.bindings.some((binding) => binding.type === "object" && binding.className === CORPUS_CLASS);
}

function folderOf(agent: PlannedAgent, jobFile: string): Folder | undefined {
  if (agent.corpus === false) return undefined;
  const folder = agent.corpus === undefined ? join(JOBS_FOLDER, "corpus") : resolve(dirname(jobFile), agent.corpus);
  return { folder, label: shown(folder) };
}
