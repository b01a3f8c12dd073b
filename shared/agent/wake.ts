// Wakes sessions: once a process all that the process before left at work, and one of them.
import { reasonOf } from "../text/reason.ts";
import { sessionIndexStub, type AgentEnv } from "./env.ts";
import { log } from "./log.ts";

/** Nobody else wakes a session, so a busy machine must not keep it asleep. */
const TRIES = 5;
const PAUSE_MS = 200;

/** Environments of isolates that have woken their sessions. */
const begun = new WeakSet<AgentEnv>();

/** Wakes the sessions that an earlier isolate left at work, once an isolate. Never throws; after failures the next call tries again. */
export async function wakeSessions(env: AgentEnv): Promise<void> {
  if (begun.has(env)) return;
  begun.add(env);
  const isDone = await tried(env, "the sessions", async () => sessionIndexStub(env).wakeSessions());
  if (!isDone) begun.delete(env);
}

/** Wakes the session of this object. Logs failures: one session must not keep the others waiting. */
export async function wakeSession(env: AgentEnv, id: string): Promise<void> {
  await tried(env, `the session ${id}`, async () => env.SESSION.get(env.SESSION.idFromString(id)).wake([]));
}

async function tried(env: AgentEnv, what: string, wake: () => Promise<void>): Promise<boolean> {
  for (let n = 1; n <= TRIES; n++) {
    try {
      await wake();
      return true;
    } catch (error) {
      log(env, "warn", `${what} cannot be woken (try ${n} of ${TRIES}): ${reasonOf(error)}`);
      if (n < TRIES) await new Promise((resolve) => setTimeout(resolve, n * PAUSE_MS));
    }
  }
  return false;
}
