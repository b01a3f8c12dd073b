// The account of the query that a task of a Session is part of.
import { mac } from "../../../a2a/token.ts";
import type { Account } from "../../../budget/account.ts";
import { settleEarlier } from "../../../loop/model-call/metered-call.ts";
import type { Step } from "../../../loop/log/step.ts";
import { configOf, type AgentEnv } from "../../env.ts";
import { modelOf } from "../../model.ts";
import { queryAccount } from "../../control-plane/query-account.ts";
import type { SessionStore } from "../tasks/store.ts";
import type { TaskRow } from "../tasks/task-row.ts";
import type { Tasks } from "../tasks/tasks.ts";
import type { Asker } from "../../caller.ts";

const TASK_CHARS = 22;

/** The account, for this life of the task; undefined where the job sets queries no limit. */
export function accountOf(env: AgentEnv, taskId: string, asker: Asker, life: number): Account | undefined {
  const { id: agent, queryBudget: limits } = configOf(env);
  if (!limits) return undefined;
  const task = mac(env.TROUPE_KEY, JSON.stringify(["task", taskId]), TASK_CHARS);
  return queryAccount(env, { query: asker.query, task, life, agent, limits, price: modelOf(env).price });
}

/**
 * Settles what a task that no life resumes has left at the account, as its next life would. May be repeated. Logs a failure.
 */
export function closeAccount(tasks: Tasks, row: TaskRow): void {
  const account = row.asker ? accountOf(tasks.env, tasks.idOf(row), row.asker, row.life.n + 1) : undefined;
  if (!account) return;
  tasks.afterwards(settleEarlier(readable(tasks.store, row), account), "telling the query's account of its end");
}

/** The task's steps; none where its log cannot be read. */
function readable(store: SessionStore, row: TaskRow): Step[] {
  try {
    return store.ownSteps(row);
  } catch {
    return [];
  }
}
