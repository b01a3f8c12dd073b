// The sessions' logs as they lie on the disk, read from copies while nothing serves them.
import { cp, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { taskStateFromJSON, type TaskState } from "@a2a-js/sdk";
import * as z from "zod";
import { formatTaskId } from "#shared/a2a/task-id.ts";
import { Life } from "#shared/agent/session/tasks/task-row.ts";
import { Asker } from "#shared/agent/caller.ts";
import { Step } from "#shared/loop/log/step.ts";
import type { CrashJob } from "./job.ts";

const Columns = z.object({
  id: z.int(),
  task: z.int(),
  state: z.nullable(z.int()),
  context_id: z.nullable(z.string()),
  n: z.nullable(z.int()),
  message_id: z.nullable(z.string()),
  body: z.string().transform((body): unknown => JSON.parse(body)),
});
const Begun = z.object({ asker: Asker, first: Step });
const Changed = z.object({ life: Life, answer: z.nullable(z.string()), problem: z.nullable(z.string()) }).partial();

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

/** The numbers of a session's entries, in their order. */
export interface LoggedSession {
  readonly agent: string;
  readonly file: string;
  readonly ids: readonly number[];
}

export interface Logs {
  readonly tasks: readonly LoggedTask[];
  readonly sessions: readonly LoggedSession[];
}

/** Everything that was written since `since`, in milliseconds since the epoch. */
export async function readLogs(job: Pick<CrashJob, "sessionFolders" | "key">, since = 0): Promise<Logs> {
  const copies = await mkdtemp(join(tmpdir(), "troupe-logs-"));
  const [tasks, sessions]: [LoggedTask[], LoggedSession[]] = [[], []];
  try {
    for (const { agent, folder } of job.sessionFolders) {
      for (const path of await changedFiles(folder, since)) {
        const copy = join(copies, agent, path);
        for (const end of ["", "-wal"]) await cp(join(folder, path + end), copy + end).catch(ignoreMissing);
        const logs = readFile(copy, job.key, agent);
        tasks.push(...logs.tasks);
        sessions.push(...logs.sessions);
      }
    }
  } finally {
    await rm(copies, { recursive: true, force: true });
  }
  return { tasks, sessions };
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
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE name = 'entry'").all();
  // An object that was killed before its first commit.
  if (tables.length === 0) return { tasks: [], sessions: [] };
  const entries = z.array(Columns).parse(database.prepare("SELECT * FROM entry ORDER BY id").all());
  const begins = entries.filter(({ id, task }) => id === task);
  return {
    tasks: begins.map((begin) => {
      const [contextId, n, messageId] = [begin.context_id ?? "", begin.n ?? 0, begin.message_id ?? ""];
      const { asker, first } = Begun.parse(begin.body);
      const own = entries.filter(({ id, task }) => task === begin.id && id !== task);
      const changes = own.filter(({ state }) => state !== null);
      const last: z.infer<typeof Changed> = Object.assign({}, ...changes.map(({ body }) => Changed.parse(body)));
      const { life, answer = null, problem = null } = last;
      return {
        id: formatTaskId(key, { agent, principal: asker.principal }, { contextId, n }),
        agent,
        contextId,
        n,
        state: taskStateFromJSON(changes.at(-1)?.state ?? begin.state),
        messageId,
        asker,
        lives: life?.n ?? 1,
        answer,
        problem,
        steps: [first, ...own.filter(({ state }) => state === null).map(({ body }) => Step.parse(body))],
      };
    }),
    sessions: [{ agent, file: basename(path), ids: entries.map(({ id }) => id) }],
  };
}
