// Computes how long an answer may be within the limits. The same for the budget of an agent and of a whole query. Pure.
import { type Price, perInputToken, perToken, toPico, toUsd } from "./price.ts";
import type { Limits } from "./limits.ts";

/** Amounts that count against the limits. */
export interface Used {
  readonly turns: number;
  readonly tokens: number;
  /** Pico-dollars. */
  readonly pico: number;
}

export interface PlannedCall {
  /** Estimate of the request, in tokens. */
  readonly inputTokens: number;
  /** Upper bound of the wanted answer, in tokens. */
  readonly maxTokens: number;
  /** Must be known where dollars are limited. */
  readonly price: Price | undefined;
  /** The API's own searches, at most. */
  readonly webSearches?: number | undefined;
}

/** The budget that a call exceeds, and the least that the call needs of it: calls, tokens or dollars. */
export interface Shortfall {
  readonly kind: "turns" | "tokens" | "usd";
  readonly needed: number;
}

const NOTHING: Used = { turns: 0, tokens: 0, pico: 0 };
/** Tokens; a shorter answer is not worth a call. */
const LEAST_ANSWER = 256;

/** The most tokens of the answer: infinite without a limit, negative when even the request does not fit. */
export function headroomFor(limits: Limits, used: Used, call: PlannedCall): number {
  return Math.min(...Object.values(headroomByBudget(limits, used, call)));
}

/** The fewest tokens of an answer that are worth a call: 256, or less when the limits as a whole are small. */
export function leastAnswer(limits: Limits, call: PlannedCall): number {
  const whole = headroomFor(limits, NOTHING, call);
  return Math.max(1, Math.min(LEAST_ANSWER, call.maxTokens, Math.floor(whole / 10)));
}

/** The first budget without room for an answer of `tokens`; undefined when all have room. */
export function shortfallOf(limits: Limits, used: Used, call: PlannedCall, tokens: number): Shortfall | undefined {
  const room = headroomByBudget(limits, used, call);
  if (room.turns < tokens) return { kind: "turns", needed: 1 };
  if (room.tokens < tokens) return { kind: "tokens", needed: call.inputTokens + tokens };
  if (room.usd < tokens) return { kind: "usd", needed: toUsd(upperCost(call, tokens)) };
  return undefined;
}

/** The most that a call with an answer of `tokens` can cost, in pico-dollars; 0 without a price. */
export function upperCost({ inputTokens, price, webSearches = 0 }: PlannedCall, tokens: number): number {
  if (!price) return 0;
  const searches = webSearches * perToken(price.webSearch ?? 0);
  return inputTokens * perInputToken(price) + tokens * perToken(price.output) + searches;
}

function headroomByBudget(limits: Limits, used: Used, call: PlannedCall): Record<Shortfall["kind"], number> {
  const { maxTurns = Number.POSITIVE_INFINITY, maxTokens = Number.POSITIVE_INFINITY, maxUsd } = limits;
  return {
    turns: used.turns + 1 > maxTurns ? -1 : Number.POSITIVE_INFINITY,
    tokens: maxTokens - used.tokens - call.inputTokens,
    usd: maxUsd === undefined ? Number.POSITIVE_INFINITY : headroomInDollars(toPico(maxUsd) - used.pico, call),
  };
}

function headroomInDollars(pico: number, call: PlannedCall): number {
  // Without a price no call is sure to fit.
  if (!call.price) return -1;
  const rest = pico - upperCost(call, 0);
  const output = perToken(call.price.output);
  if (rest < 0) return -1;
  return output === 0 ? Number.POSITIVE_INFINITY : Math.floor(rest / output);
}
