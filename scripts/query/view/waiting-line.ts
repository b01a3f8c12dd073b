// How many approvals of a job wait, and how to see them.
import { troupe } from "../../terminal/hint.ts";
import type { WaitingTask } from "../waiting.ts";

/** One line, or none. */
export function waitingLine(job: string, tasks: readonly WaitingTask[]): string[] {
  const number = tasks.reduce((sum, { approvals }) => sum + approvals.length, 0);
  if (number === 0) return [];
  return [
    `${number === 1 ? "1 approval waits" : `${number} approvals wait`} for your answer: ${troupe`approvals ${job}`}`,
  ];
}
