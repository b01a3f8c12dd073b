// The sessions' logs as they lie on the disk, read from copies while nothing serves them.
import { cp, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { taskStateFromJSON, type TaskState } from "@a2a-js/sdk";
import * as z from "zod";
import { formatTaskId } from "#shared/a2a/task-id.ts";
import { Life } from "#shared/agent/session/task-row.ts";
import { Asker } from "#shared/agent/caller.ts";
import { Step } from "#shared/loop/step.ts";
import type { CrashJob } from "./job.ts";

const TaskColumns = z.object({
  context_id: z.string(),
  n: z.int(),
  state: z.int(),
  message_id: z.string(),
  asker: z.string(),
  life: z.nullable(z.string()),
  answer: z.nullable(z.string()),
  problem: z.nullable(z.string()),
});
const StepColumns = z.object({ context_id: z.string(), n: z.int(), seq: z.int(), body: z.string() });

export interface LoggedTask {
  readonly id: string;
  readonly agent: string;
  readonly contextId: string;
  readonly n: number;
  readonly state: TaskState;
  readonly messageId: string;
  readonly asker: Asker;
  /** How often its turn was begun. */
  readonly lives: number;
  readonly answer: string | null;
  readonly problem: string | null;
  readonly steps: readonly Step[];
}

/** A thread's sequence numbers, in their order. */
export interface LoggedThread {
  readonly agent: string;
  readonly contextId: string;
  readonly seqs: readonly number[];
}

export interface Logs {
  readonly tasks: readonly LoggedTask[];
  readonly threads: readonly LoggedThread[];
}

/** Everything that was written since `since`, in milliseconds since the epoch. */
export async function readLogs(job: CrashJob, since = 0): Promise<Logs> {
  const copies = await mkdtemp(join(tmpdir(), "troupe-logs-"));
  const [tasks, threads]: [LoggedTask[], LoggedThread[]] = [[], []];
  try {
    for (const { agent, folder } of job.sessionFolders) {
      for (const path of await changedFiles(folder, since)) {
        const copy = join(copies, agent, path);
        for (const end of ["", "-wal"]) await cp(join(folder, path + end), copy + end).catch(ignoreMissing);
        const logs = readFile(copy, job.key, agent);
        tasks.push(...logs.tasks);
        threads.push(...logs.threads);
      }
    }
  } finally {
    await rm(copies, { recursive: true, force: true });
  }
  return { tasks, threads };
}

async function changedFiles(folder: string, since: number): Promise<string[]> {
  const changed = new Set<string>();
  for (const name of await readdir(folder)) {
    if (!/\.sqlite(-wal)?$/.test(name) || name.startsWith("metadata")) continue;
    if ((await stat(join(folder, name))).mtimeMs >= since) changed.add(name.replace(/-wal$/, ""));
  }
  return [...changed];
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
}

function readFile(path: string, key: string, agent: string): Logs {
  using database = new DatabaseSync(path);
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE name IN ('task', 'step')").all();
  // An object that was killed before its first commit.
  if (tables.length < 2) return { tasks: [], threads: [] };
  const rows = z.array(TaskColumns).parse(database.prepare("SELECT * FROM task").all());
  const steps = z
    .array(StepColumns)
    .parse(database.prepare("SELECT context_id, n, seq, body FROM step ORDER BY context_id, seq").all());
  const contexts = [...new Set(steps.map(({ context_id }) => context_id))];
  return {
    tasks: rows.map((row) => {
      const asker = Asker.parse(JSON.parse(row.asker));
      const own = steps.filter(({ context_id, n }) => context_id === row.context_id && n === row.n);
      return {
        id: formatTaskId(key, { agent, principal: asker.principal }, { contextId: row.context_id, n: row.n }),
        agent,
        contextId: row.context_id,
        n: row.n,
        state: taskStateFromJSON(row.state),
        messageId: row.message_id,
        asker,
        lives: row.life === null ? 1 : Life.parse(JSON.parse(row.life)).n,
        answer: row.answer,
        problem: row.problem,
        steps: own.map(({ body }) => Step.parse(JSON.parse(body))),
      };
    }),
    threads: contexts.map((contextId) => ({
      agent,
      contextId,
      seqs: steps.filter(({ context_id }) => context_id === contextId).map(({ seq }) => seq),
    })),
  };
}
