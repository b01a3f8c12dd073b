// Watches the turns of an isolate. An alarm costs three fsyncs, and two more when it rings: so a turn gets one only if it takes longer than
// a second, and a late one. Until then a request of the same isolate watches the turn; then the request stays with its object, and wakes
// it again if it ends. After a kill, the process's first request finds the session by its files (session-files.ts). An orderly end removes
// those files, but waits for requests: so the agent asks itself to watch.
import { signRequest } from "../a2a/peer-token.ts";
import { reasonOf } from "../text/reason.ts";
import { LOCAL_PRINCIPAL } from "./caller.ts";
import { configOf, type AgentEnv } from "./env.ts";
import { log } from "./log.ts";

/** Where an agent asks itself to watch. */
export const WATCH_PATH = "/young-turns";

/** A turn is young for so long. */
const YOUNG_MS = 1_000;
/** How often the watcher looks at the young turns. */
const LOOK_MS = 400;
/**
 * How often an object is woken that ends at its work, unless it has worked for STEADY_MS in between: more often than a turn that ends its
 * object begins again.
 */
const MOST_TRIES = 12;
const STEADY_MS = 10_000;
/** The answer to the request that asks to watch must begin within this time. */
const ASK_MS = 2_000;

/** When the turns of an object began that are watched, in milliseconds since the epoch, by the object's id. */
const young = new Map<string, number>();
/** Objects with older turns, with which somebody stays. */
const stayedWith = new Set<string>();
/** When the watcher looks next. Where that is long past or far ahead, its request or the clock is gone. */
let looksAt = Number.NEGATIVE_INFINITY;

/** Whether somebody watches the young turns of this isolate, and holds the process meanwhile. */
export function isWatched(): boolean {
  return Math.abs(looksAt - Date.now()) < 2 * LOOK_MS;
}

/** The object `id` has begun to work. Only where somebody watches. */
export function addYoung(id: string): void {
  if (!young.has(id)) young.set(id, Date.now());
}

/** The object works on nothing any more. */
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
  const { id, job, url } = configOf(env);
  const mandate = { from: id, to: id, job, principal: LOCAL_PRINCIPAL, chain: [id] };
  const authorization = `Bearer ${signRequest(env.TROUPE_SIGNING_KEY, mandate, { method: "POST", path: WATCH_PATH })}`;
  const unheard = new AbortController();
  const limit = setTimeout(() => unheard.abort(), ASK_MS);
  try {
    const init = { method: "POST", headers: { authorization }, signal: unheard.signal };
    const { body } = await SELF.fetch(new URL(WATCH_PATH, url), init);
    // The request is under way until its answer has been read. Where that breaks off, the next message asks again.
    if (body) waitUntil(body.pipeTo(new WritableStream()).catch(() => undefined));
  } catch {
    // A process that ends takes no request any more.
  } finally {
    clearTimeout(limit);
  }
}

/**
 * Watches young turns until there are none and `isDue` is false, unless somebody does. The answer ends with the watch. What has grown
 * older by then is stayed with beyond that.
 */
export function watchYoung(env: AgentEnv, waitUntil: (work: Promise<unknown>) => void, isDue: () => boolean): Response {
  if (isWatched()) return new Response(null, { status: 204 });
  looksAt = Date.now() + LOOK_MS;
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  // An answer is sent with its first byte. Where nobody reads it any more, it holds no process.
  const isRead = async () =>
    writer.write(new Uint8Array([10])).then(
      () => true,
      () => false,
    );
  const stay = (id: string) => waitUntil(stayWith(env, id));
  waitUntil(watch(stay, isRead, isDue).finally(() => void writer.close().catch(() => undefined)));
  return new Response(readable);
}

async function watch(stay: (id: string) => void, isRead: () => Promise<boolean>, isDue: () => boolean): Promise<void> {
  let grown: string[];
  let holds = true;
  do {
    if (holds) looksAt = Date.now() + LOOK_MS;
    void isRead().then((read) => (holds = read));
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    grown = grownBy(Date.now());
    grown.forEach(stay);
    // What has just grown sets its alarm now.
  } while (young.size + grown.length > 0 || isDue());
  if (holds) looksAt = Number.NEGATIVE_INFINITY;
}

/** Takes the objects whose turns take longer. Where somebody still stays with one, it waits for the next look. */
function grownBy(now: number): string[] {
  const grown = [...young].filter(([id, begunAt]) => Math.abs(now - begunAt) >= YOUNG_MS && !stayedWith.has(id));
  return grown.map(([id]) => {
    young.delete(id);
    return id;
  });
}

/** Stays with an object until its turns have ended. Wakes it again where it ends before them, so that they resume. */
async function stayWith(env: AgentEnv, id: string): Promise<void> {
  stayedWith.add(id);
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    const begunAt = Date.now();
    try {
      await env.SESSION.get(env.SESSION.idFromString(id)).work();
      break;
    } catch (error) {
      log(env, "warn", `the session ${id} has ended at its work: ${reasonOf(error)}`);
    }
    if (Date.now() - begunAt > STEADY_MS) tries = 0;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  stayedWith.delete(id);
}
