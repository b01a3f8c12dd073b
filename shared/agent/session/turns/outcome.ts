// How a turn's result is stored as the end of its task.
import { TaskState } from "@a2a-js/sdk";
import type { EndedTurn } from "../../../loop/turn.ts";
import type { TaskEnd, TaskResult } from "../tasks/task-row.ts";

export function outcomeOf(ended: EndedTurn): TaskEnd {
  const { subtype, usage, turns, costUsd, denials } = ended;
  const result: TaskResult = {
    subtype,
    num_turns: turns,
    ...(costUsd === undefined ? {} : { total_cost_usd: costUsd }),
    permission_denials: [...denials],
    ...(subtype === "success" && ended.structured !== undefined ? { structured_output: ended.structured } : {}),
  };
  if (subtype === "success")
    return { state: TaskState.TASK_STATE_COMPLETED, answer: ended.text, problem: null, usage, result };
  const state = subtype === "canceled" ? TaskState.TASK_STATE_CANCELED : TaskState.TASK_STATE_FAILED;
  return { state, answer: null, problem: ended.message, usage, result };
}
