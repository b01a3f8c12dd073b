// Wakes sessions: once a process all that the process before left at work, and one of them.
import { reasonOf } from "../text/reason.ts";
import { sessionIndexStub, type AgentEnv } from "./env.ts";
import { log } from "./log.ts";

/** Environments of isolates that have woken their sessions. */
const begun = new WeakSet<AgentEnv>();

/** Wakes the sessions that an earlier isolate left at work, once an isolate. Never throws; the next call retries after a failure. */
export async function wakeSessions(env: AgentEnv): Promise<void> {
  if (begun.has(env)) return;
  begun.add(env);
  try {
    await sessionIndexStub(env).wakeSessions();
  } catch (error) {
    begun.delete(env);
    log(env, "warn", `the sessions cannot be woken: ${reasonOf(error)}`);
  }
}

/** Wakes the session of this object. Logs a failure: one session must not keep the others waiting. */
export async function wakeSession(env: AgentEnv, id: string): Promise<void> {
  try {
    await env.SESSION.get(env.SESSION.idFromString(id)).wake([]);
  } catch (error) {
    log(env, "warn", `the session ${id} cannot be woken: ${reasonOf(error)}`);
  }
}
