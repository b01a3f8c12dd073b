// A model call within the budgets: before each attempt, what it may cost is reserved at the query's account.
import type { ModelRequest } from "../../models/model.ts";
import { BudgetUnreachable, type Account } from "../../budget/account.ts";
import { callModel, type Meter } from "./call-model.ts";
import type { AssistantStep, Step } from "../log/step.ts";
import { originOf } from "../log/sendable.ts";
import type { Usage } from "../../budget/usage.ts";
import { tokensOfSteps } from "./context-size.ts";
import { ReservationSpan } from "../spans/wait-spans.ts";
import type { Turn } from "../turn.ts";
import type { ToolUnion } from "@anthropic-ai/sdk/resources/messages/messages";
import { allowedAnswer, spentIn } from "../log/spending.ts";

export interface ReservedAnswer {
  readonly answer: AssistantStep;
  /** Settle it once the answer is in the log. */
  readonly reservation: string | undefined;
}

export interface MeteredCall {
  /** The call's place among the turn's model calls, from 1; 0 for one that only summarises. */
  readonly ordinal: number;
  /** Estimate of the request, in tokens. */
  readonly inputTokens: number;
  /** The model's upper bound of the answer, in tokens. The budgets may allow less, which each attempt finds out. */
  readonly maxTokens: number;
  /** Searches that the API may make by itself. */
  readonly webSearches?: number;
  readonly signal: AbortSignal;
}

/** Makes the call. Throws what callModel throws, BudgetSpent and BudgetUnreachable. */
export async function callReserved(turn: Turn, request: ModelRequest, planned: MeteredCall): Promise<ReservedAnswer> {
  const { meter, reservation } = meterOf(turn, planned);
  const { model, emit, trace, log } = turn;
  // Ids of compacted messages are taken too: results, keys and approvals refer to them.
  const used = () =>
    log.steps
      .flatMap((step) => (step.kind === "assistant" ? step.content : []))
      .map((block) => ("id" in block ? block.id : ""));
  const answer = await callModel(model, request, planned.ordinal, planned.signal, emit, trace, meter, used);
  const usage = measured(answer.usage, planned.inputTokens, answer.content.length > 0 ? [answer] : []);
  return { answer: { ...answer, usage, origin: originOf(model) }, reservation: reservation() };
}

/** The usage, with an estimate for what the backend left out: a budget of tokens has to hold for every backend. */
export function measured(usage: Usage, inputTokens: number, said: readonly Step[]): Usage {
  const isAsked = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens > 0;
  const outputTokens = usage.outputTokens > 0 ? usage.outputTokens : tokensOfSteps(said);
  return { ...usage, outputTokens, ...(isAsked ? {} : { inputTokens }) };
}

/** Reserves and books the attempts of one call at the query's account. `reservation` is that of the last attempt. */
export function meterOf(
  turn: Turn,
  { inputTokens, maxTokens, webSearches, signal }: MeteredCall,
): { readonly meter: Meter; readonly reservation: () => string | undefined } {
  const { trace } = turn;
  const { account } = turn.budget;
  const searches = webSearches === undefined ? {} : { webSearches };
  let reservation: string | undefined;
  let allowed = maxTokens;
  const meter: Meter = {
    async begin() {
      // Computed for each attempt, because attempts that broke off count.
      allowed = Math.min(maxTokens, allowedTokens(turn, inputTokens, searches));
      if (!account) return allowed;
      const span = new ReservationSpan(trace);
      try {
        const reserved = await account.reserve({ inputTokens, maxTokens: allowed, ...searches }, signal);
        span.end(inputTokens + reserved.maxTokens);
        reservation = reserved.id;
        allowed = reserved.maxTokens;
        return allowed;
      } catch (error) {
        span.fail(error, signal);
        throw error;
      }
    },
    async failed(began) {
      if (began) turn.log.append({ kind: "model_cut", inputTokens, maxTokens: allowed, ...searches });
      if (!account || reservation === undefined) return;
      await (began ? account.cut(reservation) : account.release(reservation));
    },
  };
  return { meter, reservation: () => reservation };
}

/** Counts the model call that an earlier life may have had under way as one that broke off. */
export function noteCut(turn: Turn, inputTokens: number, searches: Searches): void {
  const maxTokens = allowedTokens(turn, inputTokens, searches);
  turn.log.append({ kind: "model_cut", inputTokens, maxTokens, ...searches });
}

/**
 * Settles the last answer of earlier lives, and cuts the calls that they left open: other calls of the query may wait for those. May
 * be repeated. Throws BudgetUnreachable, but not where the last answer ends the turn: that answer is not lost.
 */
export async function settleEarlier(own: readonly Step[], account: Account): Promise<void> {
  try {
    for (const kind of ["assistant", "compaction", "compaction_failed"] as const) {
      const last = own.findLast((step) => step.kind === kind);
      if (last?.kind === kind && last.reservation !== undefined) await account.settle(last.reservation, last.usage);
    }
    // Only now: before it is settled, a known answer would count with its whole reservation, and might exhaust the budget.
    await account.cutEarlierLives();
  } catch (error) {
    if (!(error instanceof BudgetUnreachable) || !endsTurn(own.at(-1))) throw error;
  }
}

function endsTurn(step: Step | undefined): boolean {
  if (step?.kind === "compaction") return step.trigger === "manual";
  return (
    step?.kind === "assistant" &&
    step.stopReason !== "pause_turn" &&
    step.content.every(({ type }) => type !== "tool_use")
  );
}

export interface Searches {
  readonly webSearches?: number;
}

/** Searches that the API may make by itself in one call with these tools. */
export function searchesIn(tools: readonly ToolUnion[]): Searches {
  const most = tools.map((tool) => ("max_uses" in tool ? (tool.max_uses ?? 0) : 0));
  const webSearches = most.reduce((sum, uses) => sum + uses, 0);
  return webSearches > 0 ? { webSearches } : {};
}

/** Tokens that the agent's own budget allows an answer. Throws BudgetSpent where it allows no call, and PriceUnknown. */
export function allowedTokens(turn: Turn, inputTokens: number, searches: Searches = {}): number {
  const { log, budget, model, call } = turn;
  const spent = spentIn(log.own(), model.price);
  const planned = { inputTokens, maxTokens: model.maxTokens, ...searches };
  const allowed = allowedAnswer(budget.limits, spent, planned, model.price, call.agent);
  if (typeof allowed !== "number") throw allowed;
  return allowed;
}
