// Lines of several logs as one.
import { setTimeout as delay } from "node:timers/promises";

import type { LogLine } from "./target.ts";

/** Lines of other logs that are older may be on their way so long. */
const HOLD_MS = 200;

/** The lines of all sources in the order of their times, as far as they come soon enough. A slow source holds up no other. */
export async function* mergedLines(
  all: readonly AsyncIterable<readonly LogLine[]>[],
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  const sources = all.map((source) => source[Symbol.asyncIterator]());
  const nextOf = async (index: number) => ({ index, result: await sources[index]?.next() });
  const waiting = new Map(sources.map((_, index) => [index, nextOf(index)]));
  const held: LogLine[] = [];
  let release: Promise<undefined> | undefined;
  while (waiting.size > 0 || held.length > 0) {
    const next = await Promise.race([...waiting.values(), ...(release === undefined ? [] : [release])]);
    signal.throwIfAborted();
    if (next === undefined) {
      release = undefined;
      yield* held.splice(0).toSorted(byTime);
      continue;
    }
    const { index, result } = next;
    waiting.delete(index);
    if (result === undefined || result.done === true) continue;
    waiting.set(index, nextOf(index));
    held.push(...result.value);
    if (held.length > 0) release ??= delay(HOLD_MS, undefined);
  }
}

function byTime(one: LogLine, other: LogLine): number {
  return (one.time ?? "").localeCompare(other.time ?? "");
}
