// Locks: files that name the process that holds them. A lock whose process is gone is stale and is taken over.
import { randomUUID } from "node:crypto";
import { constants, copyFile, link, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { parseJson } from "#shared/text/parse-json.ts";

import { hasCode, hasNoRoom } from "../../../terminal/system-error.ts";
import { identify, isRunning, ProcessIdentity } from "./process.ts";

const POLL_MS = 50;
/** A takeover of a stale lock takes milliseconds; an older one was abandoned. */
const ABANDONED_MS = 5_000;

export interface Lock {
  release(): Promise<void>;
}

interface LockOptions {
  /** Gives up after this time; 0 tries once. */
  readonly patienceMs: number;
  /** Called once when another process holds the lock. */
  readonly onWait?: (holder: ProcessIdentity) => void;
  readonly signal?: AbortSignal;
  /** Continues without a lock where none can be written, unless a living process holds it. */
  readonly withoutRoom?: boolean;
  /** The process that shall hold the lock; this process by default. */
  readonly holder?: ProcessIdentity;
}

/** The lock was not free in time. */
export class LockedError extends Error {
  override readonly name = "LockedError";
  readonly pid: number;

  constructor(pid: number) {
    super(`The process ${pid} holds the lock`);
    this.pid = pid;
  }
}

/** Takes the lock at `path`, waiting while a living process holds it. Throws LockedError, or the signal's reason. */
export async function acquireLock(path: string, options: LockOptions): Promise<Lock> {
  const holder = options.holder ?? (await self());
  const deadline = Date.now() + options.patienceMs;
  let told = false;
  for (;;) {
    const created = await createFor(path, holder, options.withoutRoom === true);
    if (created === true) return lock(path, holder);
    const other = await lockHolder(path);
    if (other === undefined) {
      if (created === "no room") return { release: async () => {} };
      await discard(path);
      continue;
    }
    if (Date.now() >= deadline) throw new LockedError(other.pid);
    if (!told) options.onWait?.(other);
    told = true;
    options.signal?.throwIfAborted();
    await delay(POLL_MS, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
}

async function createFor(path: string, holder: ProcessIdentity, withoutRoom: boolean): Promise<boolean | "no room"> {
  try {
    await mkdir(dirname(path), { recursive: true });
    return await create(path, holder);
  } catch (error) {
    if (withoutRoom && hasNoRoom(error)) return "no room";
    throw error;
  }
}

/** Runs `work` under the lock. Throws as acquireLock and `work` do. */
export async function withLock<Result>(
  path: string,
  options: LockOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  const held = await acquireLock(path, options);
  try {
    return await work();
  } finally {
    await held.release();
  }
}

/** The living process that holds the lock, if any. */
export async function lockHolder(path: string): Promise<ProcessIdentity | undefined> {
  const holder = await read(path);
  return typeof holder === "object" && (await isRunning(holder)) ? holder : undefined;
}

function lock(path: string, holder: ProcessIdentity): Lock {
  const release = async (): Promise<void> => {
    const current = await read(path);
    if (typeof current !== "object") return;
    if (current.pid === holder.pid && current.started === holder.started) await rm(path, { force: true });
  };
  return { release };
}

/** Creates the lock with its content in one step; false where one exists. */
async function create(path: string, holder: ProcessIdentity): Promise<boolean> {
  const aside = `${path}.${process.pid}.${randomUUID()}`;
  try {
    await writeFile(aside, JSON.stringify(holder));
    await link(aside, path).catch(async (error: unknown) => {
      if (hasCode(error, "EEXIST")) throw error;
      // Without hard links: the copy is exclusive too, but incomplete for a moment.
      await copyFile(aside, path, constants.COPYFILE_EXCL);
    });
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

/** The content of a lock. `unreadable`: a crash left it empty. */
async function read(path: string): Promise<ProcessIdentity | "absent" | "unreadable"> {
  for (let attempt = 0; ; attempt++) {
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if (hasCode(error, "ENOENT")) return "absent";
      throw error;
    }
    const parsed = ProcessIdentity.safeParse(parseJson(text));
    if (parsed.success) return parsed.data;
    // Not yet written, or left empty by a crash: later attempts tell which.
    if (attempt === 2) return "unreadable";
    await delay(POLL_MS);
  }
}

/**
 * Removes the lock if it is still stale. Only one process at a time may do so: otherwise a slow one would remove a lock that another
 * process has taken since.
 */
async function discard(path: string): Promise<void> {
  const guard = `${path}.takeover`;
  if (!(await create(guard, await self()))) {
    // Another process removes the lock. If that process has died, its guard must go first.
    const { mtimeMs } = await stat(guard).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > ABANDONED_MS) await rm(guard, { force: true });
    await delay(POLL_MS);
    return;
  }
  try {
    const holder = await read(path);
    // An absent lock may be taken any moment, and is not removed then.
    const isStale = holder === "unreadable" || (holder !== "absent" && !(await isRunning(holder)));
    if (isStale) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

async function self(): Promise<ProcessIdentity> {
  const identity = await identify(process.pid);
  if (identity === undefined) throw new Error("This process cannot find itself in the process table");
  return identity;
}
