// A turn of a long thread reads only its end. The model must not see the difference.
import { expect, it } from "vitest";

import { beginOf } from "#shared/agent/session/tasks/thread-begin.ts";
import { afterCompaction } from "#shared/loop/log/conversation.ts";
import type { Step } from "#shared/loop/log/step.ts";
import { NO_USAGE } from "#shared/budget/usage.ts";

const user = (text: string): Step => ({ kind: "user", text });
const note = (text: string): Step => ({ kind: "note", about: "context", text });
const compaction = (kept: number): Step => ({
  kind: "compaction",
  trigger: "auto",
  summary: "summary",
  kept,
  tokensBefore: 0,
  tokensAfter: 0,
  usage: NO_USAGE,
  origin: undefined,
  refused: undefined,
});

function endOf(logs: readonly (readonly Step[])[]) {
  let read = 0;
  const begin = beginOf(logs.length, (from, to) => {
    read += to - from;
    return logs.slice(from, to);
  });
  return { begin, read };
}

/** Numbers from 0 to before `most`, the same each time. */
function* numbers(seed: number): Generator<number, number> {
  for (let state = seed; ;) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    yield state;
  }
}

it.each(Array.from({ length: 200 }, (_, seed) => seed + 1))(
  "the model sees the same of the end as of the whole (%i)",
  (seed) => {
    const random = numbers(seed);
    const below = (most: number) => random.next().value % most;
    const logs: Step[][] = [];
    for (let at = 0, length = 0; at < 150 + below(50); at++) {
      const first: Step =
        below(5) === 0 ? { kind: "user", text: "/compact", command: "compact" } : user(`message ${at}`);
      const steps = [first, ...Array.from({ length: below(6) }, (_, index) => note(`${at}.${index}`))];
      length += steps.length;
      if (below(40) === 0) steps.push(compaction(below(Math.min(60, length))), note("after"));
      logs.push(steps);
    }
    const { begin } = endOf(logs);
    const [whole, end] = [afterCompaction(logs.flat()), afterCompaction(logs.slice(begin).flat())];
    expect(end).toEqual(whole);
    expect(begin).toBeLessThan(logs.length - 1);
  },
);

it("a thread without a compaction is read as a whole", () => {
  expect(endOf(Array.from({ length: 120 }, () => [user("hi")]))).toEqual({ begin: 0, read: 120 });
});

it("of 10,000 tasks only the last chunk is read where the compaction is near", () => {
  const logs: Step[][] = Array.from({ length: 10_000 }, (_, at) => [user(`${at}`), note("n")]);
  logs[9_990]?.push(compaction(4));
  expect(endOf(logs)).toEqual({ begin: 9_989, read: 50 });
});
