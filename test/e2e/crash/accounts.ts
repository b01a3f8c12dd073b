// The budget's account of each query against the logs: what is settled is what the logged model calls have used, to the token and
// to the millionth of a millionth of a dollar; nothing is left open.
import { picoOf, toUsd } from "#shared/budget/price.ts";
import { isModelCall } from "#shared/loop/log/step.ts";
import { tokensOf } from "#shared/budget/usage.ts";
import type { Account, CrashJob } from "./job.ts";
import type { LoggedTask } from "./logs.ts";
import { stepsOf } from "./proof.ts";
import { PRICE } from "./slow-release.ts";

export interface Accounts {
  readonly faults: readonly string[];
  /** Reserved calls that were cut by a kill, and the tokens set aside for them. */
  readonly cutCalls: number;
  readonly cutTokens: number;
}

/** Nothing may work on the queries any more. */
export async function checkAccounts(
  job: Pick<CrashJob, "account">,
  tasks: readonly LoggedTask[],
  price = PRICE,
): Promise<Accounts> {
  const faults: string[] = [];
  let [cutCalls, cutTokens] = [0, 0];
  for (const query of new Set(tasks.map(({ asker }) => asker.query))) {
    const { states, waiting } = await job.account(query);
    const own = tasks.filter(({ asker }) => asker.query === query);
    faults.push(...differences(own, { states, waiting }, price).map((fault) => `account of ${query}: ${fault}`));
    cutCalls += states.cut.turns;
    cutTokens += states.cut.tokens;
  }
  return { faults, cutCalls, cutTokens };
}

/** The smallest reservation that is worth a call (shared/budget/headroom.ts), in tokens. */
const LEAST_RESERVED = 256;

function differences(
  tasks: readonly LoggedTask[],
  { states: { settled, open, cut }, waiting }: Pick<Account, "states" | "waiting">,
  price: typeof PRICE,
): string[] {
  const calls = tasks.flatMap(({ steps }) => steps.filter(isModelCall));
  const tokens = calls.reduce((sum, { usage }) => sum + tokensOf(usage), 0);
  const usd = toUsd(calls.reduce((sum, { usage }) => sum + picoOf(usage, price), 0));
  const answers = tasks.flatMap((task) => stepsOf(task, "assistant"));
  const toolCalls = answers.flatMap(({ content }) => content.filter(({ type }) => type === "tool_use")).length;
  const faults: string[] = [];
  const differ = (what: string, kept: number, logged: number) => {
    if (kept !== logged) faults.push(`${kept} ${what} are settled, ${logged} are in the logs`);
  };
  differ("model calls", settled.turns, calls.length);
  differ("tokens", settled.tokens, tokens);
  differ("dollars", settled.usd, usd);
  differ("tool calls", settled.toolCalls, toolCalls);
  if (cut.tokens < cut.turns * LEAST_RESERVED)
    faults.push(`${cut.turns} calls were cut, and only ${cut.tokens} tokens count for them`);
  if (open.turns > 0) faults.push(`${open.turns} model calls are open`);
  if (waiting > 0) faults.push(`${waiting} model calls wait`);
  const reservations = calls.map(({ reservation }) => reservation);
  if (new Set(reservations).size !== calls.length || reservations.includes(undefined))
    faults.push("two model calls have one reservation, or one has none");
  return faults;
}
