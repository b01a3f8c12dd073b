// Turns that have no alarm yet. An alarm costs three fsyncs, so a turn gets one only if it takes longer than a second. Until then a
// request of the same isolate watches it: an object that ends meanwhile is woken. After a kill, the process's first request finds the
// session by its files (session-files.ts).
import type { AgentEnv } from "./env.ts";
import { wakeSession } from "./wake.ts";

/** A turn is young for so long. */
const YOUNG_MS = 1_000;
/** How often the watcher looks at the young turns. */
const LOOK_MS = 400;

/** When the turns of an object began, in milliseconds since the epoch, by the object's id. */
const young = new Map<string, number>();
/** When the watcher looks next. Where that is long past or far ahead, its request or the clock is gone. */
let looksAt = Number.NEGATIVE_INFINITY;

/** Whether somebody watches the young turns of this isolate. */
export function isWatched(): boolean {
  return Math.abs(looksAt - Date.now()) < 2 * LOOK_MS;
}

/** The object `id` has begun to work, and has no alarm. Only where somebody watches. */
export function addYoung(id: string): void {
  if (!young.has(id)) young.set(id, Date.now());
}

/** The object works on nothing any more, or has its alarm. */
export function removeYoung(id: string): void {
  young.delete(id);
}

/**
 * Watches young turns for as long as there are any, unless somebody does. Call it within a request that may begin a turn. `waitUntil`
 * outlives that request, and keeps a process that is asked to end until each turn has ended or has its alarm.
 */
export function watchYoung(env: AgentEnv, waitUntil: (work: Promise<unknown>) => void): void {
  // Without files nobody would find the turn after a kill: it has an alarm from its start.
  if (env.SESSION_FILES === undefined || isWatched()) return;
  looksAt = Date.now() + LOOK_MS;
  waitUntil(watch(env));
}

async function watch(env: AgentEnv): Promise<void> {
  do {
    looksAt = Date.now() + LOOK_MS;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    await wakeGrown(env, Date.now());
  } while (young.size > 0);
  looksAt = Number.NEGATIVE_INFINITY;
}

/** Wakes the objects whose turns take longer: each sets its alarm, or resumes its turns if it had ended meanwhile. */
async function wakeGrown(env: AgentEnv, now: number): Promise<void> {
  const grown = [...young].filter(([, begunAt]) => Math.abs(now - begunAt) >= YOUNG_MS).map(([id]) => id);
  for (const id of grown) young.delete(id);
  await Promise.all(grown.map(async (id) => wakeSession(env, id)));
}
