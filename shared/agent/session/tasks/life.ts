// The lives of a turn. Each isolate that resumes it begins another; a turn that ends its isolate each time is given up.
import type { Life } from "./task-row.ts";

/** Lives in a row without progress before the turn is given up. */
export const POISONED = {
  strikes: 10,
  problem:
    "The agent stopped 10 times at the same step of this task, so the task was given up. Its log says where; the agent's own log may say why.",
} as const;

/** The next life. `steps`: the task's progress (progressOf). */
export function nextLife({ n, strikes, steps: before }: Life, steps: number): Life {
  return { n: n + 1, strikes: steps > before ? 0 : strikes + 1, steps };
}
