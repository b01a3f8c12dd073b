// Entries of a thread on their way into another session: the threads at other agents get their new names.
import * as z from "zod";
import { isTerminal } from "../../../a2a/message.ts";
import type { SessionEntry, SomeEntries } from "../../rpc.ts";
import type { SessionStore } from "../tasks/store.ts";

/** Turns that are read at a time, and characters that one call carries: RPC takes 32 MiB. */
const MOST_TURNS = 100;
const MOST_CHARACTERS = 8_000_000;

/** Whole turns, at least one. Turns that have not ended are left out. */
export function entriesToCopy(store: SessionStore, contextId: string, turns: readonly number[]): SomeEntries {
  const some = turns.slice(0, MOST_TURNS);
  const wanted = new Set(some);
  const tasks = store
    .begun()
    .filter((task) => task.contextId === contextId && wanted.has(task.n) && isTerminal(task.state));
  const all = Map.groupBy(store.readEntries(tasks), ({ task }) => task);
  const entries: SessionEntry[] = [];
  let length = 0;
  for (const { id, n } of tasks) {
    const own = all.get(id) ?? [];
    length += own.reduce((sum, { body }) => sum + body.length, 0);
    if (length > MOST_CHARACTERS && entries.length > 0) return { entries, done: some.indexOf(n) };
    entries.push(...own);
  }
  return { entries, done: some.length };
}

/** The steps that name a thread at another agent. */
const Named = z.looseObject({ kind: z.enum(["peer_call", "peer_task"]), contextId: z.string() });

/**
 * `from`, `to`: the thread's own contextId, and that of its copy. A thread at an agent of others has no copy: the next question there
 * begins a new one, whose id `newIdOf` makes of the old, and no task waits for it.
 */
export function renamed(
  entries: readonly SessionEntry[],
  from: string,
  to: string,
  newIdOf: (contextId: string) => string,
): SessionEntry[] {
  return entries.map((entry) => {
    if (entry.state !== null) return entry;
    const step = Named.safeParse(JSON.parse(entry.body));
    if (!step.success) return entry;
    const { contextId } = step.data;
    const body = contextId.startsWith(`${from}~`)
      ? { ...step.data, contextId: to + contextId.slice(from.length) }
      : { ...step.data, contextId: newIdOf(contextId), asksBack: undefined };
    return { ...entry, body: JSON.stringify(body) };
  });
}

/** What the model learns of a thread that has no copy. */
export function goneText({ agent, thread }: { readonly agent: string; readonly thread: number }): string {
  return `This conversation is a copy of an earlier one. The conversation ${thread} with ${agent} could not be copied: ${agent} remembers nothing of it. Say again what ${agent} has to know.`;
}
