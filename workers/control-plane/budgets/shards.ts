// Finds the Budget object of a query. Each job has objects of its own, so no token reaches another job's accounts.
import type { Env } from "../env.ts";
import type { BudgetRpc } from "../rpc.ts";

/** Never change this while queries run: their accounts would be opened a second time. */
const SHARDS = 4;

export function budgetOf(env: Pick<Env, "BUDGET">, job: string, query: string): DurableObjectStub<BudgetRpc> {
  return env.BUDGET.getByName(`${job}/${hash(query) % SHARDS}`);
}

/** FNV-1a over UTF-16 code units: spreads any ids, cheaply. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return value;
}
