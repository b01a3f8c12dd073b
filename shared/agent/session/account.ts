// The query's account as a task of a Session spends from it, and what it is told of a task that no life goes on with.
import { mac } from "../../a2a/token.ts";
import type { Account } from "../../budget/account.ts";
import { settleEarlier } from "../../loop/reserved-call.ts";
import type { Step } from "../../loop/step.ts";
import { configOf, type AgentEnv } from "../env.ts";
import { modelOf } from "../model.ts";
import { queryAccount } from "../query-account.ts";
import type { SessionStore } from "./store.ts";
import type { TaskRow } from "./task-row.ts";
import type { Asker } from "../caller.ts";

/** Characters of a task's name at the account. */
const TASK_CHARS = 22;

/** The account as this life of a task spends from it; undefined where the job sets queries no limit. */
export function accountOf(env: AgentEnv, taskId: string, asker: Asker, life: number): Account | undefined {
  const { id: agent, queryBudget: limits } = configOf(env);
  if (!limits) return undefined;
  const task = mac(env.TROUPE_KEY, JSON.stringify(["task", taskId]), TASK_CHARS);
  return queryAccount(env, { query: asker.query, task, life, agent, limits, price: modelOf(env).price });
}

/**
 * Does what a next life would begin with, where there is none: settles the last answer, and gives up the calls that were left open,
 * for which others of the query would wait. May be repeated. Throws BudgetUnreachable.
 */
export async function closeAccount(env: AgentEnv, store: SessionStore, row: TaskRow, taskId: string): Promise<void> {
  const life = row.life.n + 1;
  const account = row.asker ? accountOf(env, taskId, row.asker, life) : undefined;
  if (account) await settleEarlier({ log: readable(store, row), begin: 0, account, life });
}

/** An answer in a log that cannot be read is not known to anybody. */
function readable(store: SessionStore, row: TaskRow): Step[] {
  try {
    return store.ownSteps(row);
  } catch {
    return [];
  }
}
