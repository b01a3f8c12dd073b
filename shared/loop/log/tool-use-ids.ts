// Ids of tool calls. A result finds its call by the id, so each call of a thread needs its own. Not every backend gives one.
import type { MessageParam } from "@anthropic-ai/sdk/resources/messages/messages";

const MAX_ID = 128;

/** The ids of all tool calls in these messages. */
export function toolUseIds(messages: readonly MessageParam[]): Set<string> {
  const blocks = messages.flatMap(({ content }) => (typeof content === "string" ? [] : content));
  return new Set(blocks.flatMap((block) => (block.type === "tool_use" ? [block.id] : [])));
}

/** Adds an id of at most `most` characters to `used`: `id`, or one like it where that is taken or malformed. Returns it. */
export function claimId(id: string, used: Set<string>, most = MAX_ID): string {
  const base = id === "" || id.length > most || !id.isWellFormed() ? "toolu" : id;
  let free = base;
  for (let n = 2; used.has(free); n++) free = numbered(base, n, most);
  used.add(free);
  return free;
}

/** Cuts no character in half. */
function numbered(base: string, n: number, most: number): string {
  const end = `_${n}`;
  const begin = base.slice(0, most - end.length);
  return (begin.isWellFormed() ? begin : begin.slice(0, -1)) + end;
}
