// Turns that have no alarm yet. An alarm costs three fsyncs, so a turn gets one only if it takes longer than a second. Until then a
// request of the same isolate watches it: an object that ends meanwhile is woken. After a kill, the process's first request finds the
// session by its files (session-files.ts). An orderly end removes those files, but waits for requests: so the agent asks itself to watch.
import { signToken, verifyToken } from "../a2a/token.ts";
import { LOCAL_PRINCIPAL } from "./caller.ts";
import { configOf, type AgentEnv } from "./env.ts";
import { wakeSession } from "./wake.ts";

/** Where an agent asks itself to watch. */
export const WATCH_PATH = "/young-turns";

/** A turn is young for so long. */
const YOUNG_MS = 1_000;
/** How often the watcher looks at the young turns. */
const LOOK_MS = 400;
/** The request that asks to watch must arrive within this time. */
const TOKEN_MS = 60_000;

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
 * Resolves when somebody watches the young turns of this isolate, or nobody can: then each turn has its alarm from its start. Call it
 * before a turn may begin.
 */
export async function askToWatch(env: AgentEnv, waitUntil: (work: Promise<unknown>) => void): Promise<void> {
  const { SELF, SESSION_FILES } = env;
  // Without files nobody would find a young turn after a kill.
  if (SELF === undefined || SESSION_FILES === undefined || isWatched()) return;
  const { id, url } = configOf(env);
  const claims = { from: id, to: id, principal: LOCAL_PRINCIPAL, chain: [id] };
  const authorization = `Bearer ${signToken(env.TROUPE_KEY, claims, TOKEN_MS)}`;
  try {
    const { body } = await SELF.fetch(new URL(WATCH_PATH, url), { method: "POST", headers: { authorization } });
    // The request is under way until its answer has been read.
    if (body) waitUntil(body.pipeTo(new WritableStream()).catch(() => undefined));
  } catch {
    // A process that ends takes no request any more.
  }
}

/** Whether the agent itself asks. */
export function isFromSelf(env: AgentEnv, token: string): boolean {
  const { id } = configOf(env);
  return verifyToken(env.TROUPE_KEY, token, id)?.from === id;
}

/** Watches young turns until there are none and `isDue` is false, unless somebody does. The answer ends with the watch. */
export function watchYoung(env: AgentEnv, waitUntil: (work: Promise<unknown>) => void, isDue: () => boolean): Response {
  if (isWatched()) return new Response(null, { status: 204 });
  looksAt = Date.now() + LOOK_MS;
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  // An answer is sent with its first byte.
  void writer.write(new Uint8Array([10])).catch(() => undefined);
  waitUntil(watch(env, isDue).finally(() => void writer.close().catch(() => undefined)));
  return new Response(readable);
}

async function watch(env: AgentEnv, isDue: () => boolean): Promise<void> {
  do {
    looksAt = Date.now() + LOOK_MS;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    await wakeGrown(env, Date.now());
  } while (young.size > 0 || isDue());
  looksAt = Number.NEGATIVE_INFINITY;
}

/** Wakes the objects whose turns take longer: each sets its alarm, or resumes its turns if it had ended meanwhile. */
async function wakeGrown(env: AgentEnv, now: number): Promise<void> {
  const grown = [...young].filter(([, begunAt]) => Math.abs(now - begunAt) >= YOUNG_MS).map(([id]) => id);
  for (const id of grown) young.delete(id);
  await Promise.all(grown.map(async (id) => wakeSession(env, id)));
}
