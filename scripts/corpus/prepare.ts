// Decides which documents each agent of a job gets, and reads them before the deployment, so that a wrong folder
// changes nothing.
import { dirname, join, resolve } from "node:path";

import type { Plan, PlannedAgent } from "#jobs/plan/plan-shape.ts";

import { CliError } from "../terminal/cli-error.ts";
import { troupe } from "../terminal/hint.ts";
import type { Io } from "../terminal/io.ts";
import { JOBS_FOLDER, shown } from "../project/project.ts";
import { type Corpus, readCorpus } from "./walk.ts";

/** A Worker that takes documents exports this class. */
const CORPUS_CLASS = "Corpus";

export interface Folder {
  /** Absolute. */
  readonly folder: string;
  /** As typed: the documents' paths begin with it. */
  readonly label: string;
}

export interface Assignment {
  readonly agent: PlannedAgent;
  readonly corpus: Corpus;
}

export interface Prepared {
  readonly assignments: readonly Assignment[];
  /** The folder of --corpus, now or at an earlier deployment. */
  readonly remember: Folder | undefined;
}

interface Folders {
  /** The value of --corpus. */
  readonly typed: string | undefined;
  /** The folder of --corpus at an earlier deployment. */
  readonly last: Folder | undefined;
  /** The job file; its `corpus` is relative to it. */
  readonly file: string;
}

/** Reads the folders. The first of these counts: --corpus, an earlier --corpus, the job file, jobs/corpus. */
export async function prepareCorpus(plan: Plan, folders: Folders, io: Io): Promise<Prepared> {
  const { typed, last, file } = folders;
  const remember = typed === undefined ? last : { folder: resolve(typed), label: typed };
  const takers = plan.agents.filter(takesDocuments);
  if (typed !== undefined && takers.length === 0) {
    throw new CliError("bad_input", `No agent of ${plan.job} takes documents.`, "Leave --corpus out.");
  }
  const read = new Map<string, Corpus>();
  const assignments: Assignment[] = [];
  for (const agent of takers) {
    const folder = remember ?? folderOf(agent, file);
    if (folder === undefined) continue;
    const known = read.get(folder.folder);
    const corpus = known ?? (await readAgain(plan.job, folder, folders, io));
    if (corpus === undefined) break;
    read.set(folder.folder, corpus);
    assignments.push({ agent, corpus });
  }
  return { assignments, remember };
}

/**
 * The folder's documents. Undefined, with a note, where a folder of an earlier deployment cannot be read now: its index
 * stays.
 */
async function readAgain(job: string, folder: Folder, { typed, last }: Folders, io: Io): Promise<Corpus | undefined> {
  try {
    return await readCorpus(folder.folder, folder.label, io);
  } catch (error) {
    if (typed !== undefined || last === undefined || !(error instanceof CliError)) throw error;
    io.note(
      `${error.message} The job keeps the documents that it has indexed. To change them: ${troupe`deploy ${job} --corpus DIR`}`,
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
