// Deletes a session: its turns are canceled, here and at the agents that they ask, then everything that is stored goes.
import { reasonOf } from "../../../text/reason.ts";
import { log } from "../../log.ts";
import { flushReports } from "../../session-index/reports.ts";
import type { Tasks } from "../tasks/tasks.ts";
import type { Turns } from "../turns/turns.ts";

/** What does not end within this time ends with its object. */
const CANCEL_MS = 3_000;

/** The caller has to end the object's life. What cannot be read is deleted all the same. */
export async function deleteAll(
  { storage }: Pick<DurableObjectState, "storage">,
  tasks: Tasks,
  turns: Turns,
  resume: () => void,
): Promise<void> {
  try {
    resume();
    await cancelAll(tasks, turns);
  } catch (error) {
    log(tasks.env, "warn", `a session is deleted, although its turns cannot be canceled: ${reasonOf(error)}`);
  }
  // Later, the index would hear of tasks that are gone.
  await flushReports();
  await storage.deleteAlarm();
  await storage.deleteAll();
  await storage.sync();
}

async function cancelAll(tasks: Tasks, turns: Turns): Promise<void> {
  for (const row of tasks.store.openTasks()) turns.cancel(tasks.get(tasks.idOf(row)) ?? tasks.revive(row));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, CANCEL_MS)));
  // Afterwards the other agents hear that they are no longer asked.
  const quiet = turns
    .whenIdle()
    .then(flushReports)
    .then(async () => tasks.whenQuiet());
  await Promise.race([quiet, limit]);
  clearTimeout(timer);
}
