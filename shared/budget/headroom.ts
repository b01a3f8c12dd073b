// How long an answer may be so that a model call stays within its limits. Pure arithmetic, the same for the budget of an agent
// and for that of a whole query.
import { type Price, perInputToken, perToken, toPico, toUsd } from "./price.ts";
import type { Limits } from "./limits.ts";

/** What counts against the limits. */
export interface Used {
  readonly turns: number;
  readonly tokens: number;
  /** Pico-dollars. */
  readonly pico: number;
}

export interface PlannedCall {
  /** Estimate of the request, in tokens. */
  readonly inputTokens: number;
  /** Upper bound of the answer that is wanted, in tokens. */
  readonly maxTokens: number;
  /** Has to be known where dollars are limited. */
  readonly price: Price | undefined;
  /** Searches that the API may make by itself. */
  readonly webSearches?: number | undefined;
}

/** A budget that a call does not fit, and how much of it the call needs at least: calls, tokens or dollars. */
export interface Lack {
  readonly kind: "turns" | "tokens" | "usd";
  readonly needed: number;
}

const NOTHING: Used = { turns: 0, tokens: 0, pico: 0 };
/** Shorter answers are not worth a call. */
const LEAST_ANSWER = 256;

/** Tokens that the answer may have; infinite without a limit, negative where not even the request fits. */
export function headroomFor(limits: Limits, used: Used, call: PlannedCall): number {
  return Math.min(...Object.values(rooms(limits, used, call)));
}

/** The shortest answer that a call is worth being made for: 256 tokens, less only where the limits as such are that small. */
export function leastAnswer(limits: Limits, call: PlannedCall): number {
  const whole = headroomFor(limits, NOTHING, call);
  return Math.max(1, Math.min(LEAST_ANSWER, call.maxTokens, Math.floor(whole / 10)));
}

/** The first budget that has no room for an answer of `tokens`; undefined when all have. */
export function lackFor(limits: Limits, used: Used, call: PlannedCall, tokens: number): Lack | undefined {
  const room = rooms(limits, used, call);
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

function rooms(limits: Limits, used: Used, call: PlannedCall): Record<Lack["kind"], number> {
  const { maxTurns = Number.POSITIVE_INFINITY, maxTokens = Number.POSITIVE_INFINITY, maxUsd } = limits;
  return {
    turns: used.turns + 1 > maxTurns ? -1 : Number.POSITIVE_INFINITY,
    tokens: maxTokens - used.tokens - call.inputTokens,
    usd: maxUsd === undefined ? Number.POSITIVE_INFINITY : roomInDollars(toPico(maxUsd) - used.pico, call),
  };
}

function roomInDollars(pico: number, call: PlannedCall): number {
  // Where a price is not known, nothing is sure to fit.
  if (!call.price) return -1;
  const rest = pico - upperCost(call, 0);
  const output = perToken(call.price.output);
  if (rest < 0) return -1;
  return output === 0 ? Number.POSITIVE_INFINITY : Math.floor(rest / output);
}
