// The lives of a turn: each isolate that takes it up is one. A turn that ends its isolate each time must not do so for ever.
import type { Life } from "./task-row.ts";

/** Lives that may end without a single new step before the turn is given up. */
export const POISONED = {
  strikes: 10,
  problem:
    "The agent stopped 10 times at the same step of this task, so the task was given up. Its log says where; the agent's own log may say why.",
} as const;

/** The life that begins now; `steps` is how far the task has come (progressOf). */
export function nextLife({ n, strikes, steps: before }: Life, steps: number): Life {
  return { n: n + 1, strikes: steps > before ? 0 : strikes + 1, steps };
}
