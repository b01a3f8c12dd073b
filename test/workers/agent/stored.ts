// What a session has on disk, read and changed past its object: asking the object would make it resume. An object that has begun knows
// its log by heart, so end it after a change.
import { runInDurableObject } from "cloudflare:test";
import { SessionStore } from "#shared/agent/session/tasks/store.ts";
import type { TaskRow } from "#shared/agent/session/tasks/task-row.ts";
import type { Step } from "#shared/loop/log/step.ts";
import type { TaskState } from "@a2a-js/sdk";
import { session } from "./sessions.ts";

/** The tasks of all threads; those of a thread in their order. */
export function storedTasks(name: string): Promise<TaskRow[]> {
  return withStore(name, (store) => store.tasks().flatMap((ref) => store.task(ref) ?? []));
}

export async function lastTask(name: string): Promise<TaskRow | undefined> {
  return (await storedTasks(name)).at(-1);
}

/** Every step's text in the log, the messages' too, as `change` returns it. */
export async function rewrite(name: string, change: (body: string) => string): Promise<void> {
  await runInDurableObject(session(name), (_, { storage }) => {
    for (const { id, body } of storage.sql.exec<{ id: number; body: string }>("SELECT id, body FROM entry").toArray())
      storage.sql.exec("UPDATE entry SET body = ? WHERE id = ?", change(body), id);
  });
}

/** Adds what changes the last task of the thread that bears the session's name. */
export async function amend(name: string, change: object): Promise<void> {
  await runInDurableObject(session(name), (_, { storage }) => {
    storage.sql.exec(
      `INSERT INTO entry (task, state, at, body)
       SELECT task, state, at, ? FROM entry WHERE task = (SELECT MAX(task) FROM entry WHERE context_id = ?) AND state IS NOT NULL
       ORDER BY id DESC LIMIT 1`,
      JSON.stringify(change),
      name,
    );
  });
}

/** A task of another thread, or a further one, that is like the session's last. */
export async function addTask(name: string, { contextId, state, wakeAt, steps }: Added): Promise<void> {
  await withStore(name, (store) => {
    const like = store
      .tasks(name)
      .flatMap((ref) => store.task(ref) ?? [])
      .at(-1);
    if (!like?.trace || !like.asker) throw new Error("The session has no task.");
    const { asker, trace } = like;
    const [first, ...others] = steps ?? store.ownSteps(like);
    if (!first) throw new Error("A task begins with a message.");
    const row = store.createTask({ contextId, state, trace, messageId: "other", asker: () => asker, first });
    for (const step of others) store.append(row, step, 0);
    if (wakeAt !== undefined) store.setState(row, state, wakeAt);
  });
}

interface Added {
  readonly contextId: string;
  readonly state: TaskState;
  readonly wakeAt?: number;
  /** Those of the task that it is like, when left out. */
  readonly steps?: readonly Step[];
}

function withStore<Result>(name: string, work: (store: SessionStore) => Result): Promise<Result> {
  return runInDurableObject(session(name), (_, { storage }) => work(new SessionStore(storage.sql)));
}
