// What sessions began with: people know a conversation by that.
import { Unreached } from "./operator.ts";
import type { Session } from "./gather.ts";

const AT_ONCE = 16;

/** In the order of the sessions; empty for one that only agents have asked, or that cannot be read. */
export async function firstWords(sessions: readonly Session[]): Promise<string[]> {
  const words: string[] = [];
  for (let start = 0; start < sessions.length; start += AT_ONCE)
    words.push(...(await Promise.all(sessions.slice(start, start + AT_ONCE).map(wordsOf))));
  return words;
}

async function wordsOf({ id, agents }: Session): Promise<string> {
  const asked = agents.find(({ part }) => part.ownTurns > 0);
  if (asked === undefined) return "";
  try {
    for await (const { question } of asked.agent.turns(id, { contextId: id, upTo: 1 })) return question;
  } catch (error) {
    if (!(error instanceof Unreached)) throw error;
  }
  return "";
}
