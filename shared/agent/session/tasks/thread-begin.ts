// Where the log of a long thread begins for a turn: at what its last compaction has kept. The model sees nothing from before.
import type { Step } from "../../../loop/log/step.ts";

/** Tasks that are read at a time. */
const CHUNK = 50;

/**
 * The index of the first of `count` tasks that a turn of the last one needs; 0 for all. `read` gives the steps of the tasks from one
 * index up to before another. It is called from the end on, until a compaction is found.
 */
export function beginOf(count: number, read: (from: number, to: number) => readonly (readonly Step[])[]): number {
  /** Steps that must stand before what was looked at last; undefined until the compaction is found. */
  let wanted: number | undefined;
  for (let to = count; to > 0; to -= CHUNK) {
    const from = Math.max(0, to - CHUNK);
    const logs = read(from, to);
    for (let at = to - 1; at >= from; at--) {
      const steps = logs[at - from] ?? [];
      if (wanted === undefined) {
        const found = steps.findLastIndex(({ kind }) => kind === "compaction");
        const compaction = steps[found];
        if (compaction?.kind !== "compaction") continue;
        wanted = compaction.kept - found;
      } else {
        wanted -= steps.length;
      }
      // The message that was being answered stays, and the task before the last: whether a thread begins shows by that.
      if (wanted <= 0 && isMessage(steps[0]) && at < count - 1) return at;
    }
  }
  return 0;
}

/** Not a command: the model has seen it. */
function isMessage(step: Step | undefined): boolean {
  return step?.kind === "user" && step.command === undefined;
}
