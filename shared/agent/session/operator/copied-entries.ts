// Entries of a thread on their way into another session: the threads at other agents get their new names.
import * as z from "zod";
import type { SessionEntry } from "../../rpc.ts";

/** The steps that name a thread at another agent. */
const Named = z.looseObject({ kind: z.enum(["peer_call", "peer_task"]), contextId: z.string() });

/** `from`, `to`: the thread's own contextId, and that of its copy. */
export function renamed(entries: readonly SessionEntry[], from: string, to: string): SessionEntry[] {
  return entries.map((entry) => {
    if (entry.state !== null) return entry;
    const step = Named.safeParse(JSON.parse(entry.body));
    if (!step.success || !step.data.contextId.startsWith(`${from}~`)) return entry;
    const contextId = to + step.data.contextId.slice(from.length);
    return { ...entry, body: JSON.stringify({ ...step.data, contextId }) };
  });
}

/** What the model learns of a thread that has no copy. */
export function goneText({ agent, thread }: { readonly agent: string; readonly thread: number }): string {
  return `This conversation is a copy of an earlier one. The conversation ${thread} with ${agent} could not be copied: ${agent} remembers nothing of it. Say again what ${agent} has to know.`;
}
