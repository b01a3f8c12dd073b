// Compaction: near the context's limit, or on demand, a summary replaces the older part of the conversation for the model. The log
// keeps everything. Pairs of tool_use and tool_result stay whole: the kept part begins with a message or an answer.
import { ModelError } from "../../models/model.ts";
import { searchesIn, noteCut } from "../model-call/metered-call.ts";
import { BudgetUnreachable } from "../../budget/account.ts";
import type { Conclusion, Turn } from "../turn.ts";
import {
  countTokens,
  estimateTokens,
  FULL,
  LOOK_CLOSER,
  promptLimit,
  tokensByLength,
  tokensOfSteps,
  tokensOfFrame,
  type Frame,
} from "../model-call/context-size.ts";
import { frameOf, refusalOf } from "../model-call/request.ts";
import { keptSteps, type KeptLimits } from "./kept-steps.ts";
import { afterCompaction, conversationOf, isSaid, transcript } from "../log/conversation.ts";
import type { CompactionStep, Step } from "../log/step.ts";
import { stopFor } from "../log/stopped.ts";
import { NoSummary, summarise, type CompactionRequest } from "./summarise.ts";
import { CompactionSpan } from "../spans/wait-spans.ts";

const COMMAND = "/compact";

/** Share of the prompt limit that recent messages may keep. */
const KEPT = 0.2;
/** The least density that is believed, whatever a backend reports: little text has five bytes a token. */
const LEAST_DENSITY = 0.6;

/** Compacts where the next request would come near the model's limit. Where the compaction fails, the conversation stays as it is. */
export async function compactIfFull(turn: Turn, frame: Frame, signal: AbortSignal): Promise<void> {
  const { model, log } = turn;
  const room = promptLimit(model);
  const estimate = estimateTokens(log.steps, frame);
  if (estimate < room * LOOK_CLOSER || hasFailed(turn)) return;
  const request = { ...frame, ...conversationOf(log.steps, model) };
  const tokens = await countTokens(model, request, { log: log.steps, estimate }, signal);
  if (tokens < room * FULL) return;
  const compaction = compactionOf(turn, "auto", null, frame, tokens);
  const unfit = hasWorked(turn) ? refusalOf(turn, messageOf(turn), frame, compaction.density) : undefined;
  if (unfit !== undefined) throw new ModelError("prompt_too_long", unfit);
  await compactNow(turn, compaction, signal);
}

/** Whether the turn has made calls of its own: if they were summarised, the model would make them again. */
function hasWorked({ log }: Turn): boolean {
  return log.own().some(({ kind }) => kind === "assistant");
}

function messageOf({ log }: Turn): string {
  const step = log.steps[log.begin];
  return step?.kind === "user" ? step.text : "";
}

/** Assumed where the backend does not say it. */
const TIMES_TOO_LONG = 2;

/**
 * Compacts a conversation that the backend refused as too long, once a turn. Resolves to why not, where the conversation stays as it
 * is.
 */
export async function compactRefused(
  turn: Turn,
  frame: Frame,
  signal: AbortSignal,
  timesTooLong = TIMES_TOO_LONG,
): Promise<string | undefined> {
  if (wasRefused(turn)) return "It had been compacted before in this turn.";
  if (hasFailed(turn)) return "It could not be summarised before in this turn.";
  const tokens = Math.ceil(turn.model.contextTokens * timesTooLong);
  const made = await compactNow(turn, { ...compactionOf(turn, "auto", null, frame, tokens), refused: true }, signal);
  return typeof made === "string" ? made : undefined;
}

/** Whether this turn has compacted a conversation that the backend refused. */
export function wasRefused({ log }: Turn): boolean {
  return log.own().some((step) => (step.kind === "compaction" || step.kind === "compaction_failed") && step.refused);
}

/** Carries out the message `/compact`, perhaps with words on what the summary has to keep. */
export async function compactOnDemand(turn: Turn, text: string, signal: AbortSignal): Promise<Conclusion> {
  const own = turn.log.own();
  const done = own.find((step) => step.kind === "compaction");
  const failed = own.find((step) => step.kind === "compaction_failed" && step.by === "model");
  const instructions = text.slice(COMMAND.length).trim() || null;
  const frame = frameOf(turn);
  const compaction = compactionOf(turn, "manual", instructions, frame, estimateTokens(turn.log.steps, frame));
  const before = done ?? (failed?.kind === "compaction_failed" ? notCompacted(failed.reason) : undefined);
  if (turn.log.life > 1 && before === undefined) noteCut(turn, compaction.tokens, searchesIn(frame.tools));
  const result = before ?? (await compactNow(turn, compaction, signal));
  const said =
    typeof result === "string"
      ? result
      : `The conversation was compacted: about ${result.tokensBefore} tokens before, ${result.tokensAfter} now.`;
  return { subtype: "success", text: said, stopReason: null };
}

function notCompacted(why: string): string {
  return `The conversation was not compacted. ${why}`;
}

/** Whether the model has failed to make a summary in this turn. A second try would cost the same again. */
function hasFailed({ log }: Turn): boolean {
  const last = log.own().findLast(({ kind }) => kind === "compaction" || kind === "compaction_failed");
  return last?.kind === "compaction_failed" && last.by === "model";
}

function compactionOf(
  turn: Turn,
  trigger: CompactionRequest["trigger"],
  instructions: string | null,
  frame: Frame,
  tokens: number,
): CompactionRequest {
  const density = Math.max(LEAST_DENSITY, tokens / tokensByLength(turn.log.steps, frame));
  return { trigger, instructions, frame, tokens, density };
}

/** Resolves to the step, or to why the conversation stays as it is. */
async function compactNow(
  turn: Turn,
  compaction: CompactionRequest,
  signal: AbortSignal,
): Promise<CompactionStep | string> {
  const { trigger, instructions: custom_instructions } = compaction;
  const kept = keptSteps(turn.log.steps, limitsOf(turn, compaction));
  if (!losesAnything(turn.log.steps, kept)) return "There is nothing to compact: the conversation has only just begun.";
  const before = await turn.hook({ hook_event_name: "PreCompact", trigger, custom_instructions }, signal);
  stopFor(before.stop, turn.log);
  if (before.block !== undefined) return `A hook kept the conversation as it is: ${before.block}`;
  const span = new CompactionSpan(turn.trace, trigger, compaction.tokens);
  let step: CompactionStep;
  try {
    step = await written({ ...turn, trace: { ...turn.trace, parent: span.context } }, kept, compaction, signal);
  } catch (error) {
    span.fail(error, signal);
    if (error instanceof NoSummary) return notCompacted(error.message);
    throw error;
  }
  span.end(step.tokensAfter);
  const after = await turn.hook({ hook_event_name: "PostCompact", trigger, compact_summary: step.summary }, signal);
  stopFor(after.stop, turn.log);
  return step;
}

/** Makes the summary, writes it into the log and settles its cost. */
async function written(
  turn: Turn,
  kept: number,
  compaction: CompactionRequest,
  signal: AbortSignal,
): Promise<CompactionStep> {
  const { log } = turn;
  const { trigger, tokens: tokensBefore, frame, density } = compaction;
  const begun = log.steps.length;
  const { text, ...made } = await summarise(turn, log.steps.slice(0, begun - kept), compaction, signal);
  const step: CompactionStep = {
    kind: "compaction",
    trigger,
    summary: text,
    // Steps of failed attempts were written meanwhile.
    kept: kept + log.steps.length - begun,
    tokensBefore,
    tokensAfter: 0,
    ...(compaction.refused ? { refused: true } : {}),
    ...made,
  };
  const after = { ...step, tokensAfter: Math.round(tokensByLength([...log.steps, step], frame) * density) };
  log.append(after);
  try {
    if (made.reservation !== undefined) await turn.budget.account?.settle(made.reservation, made.usage);
  } catch (error) {
    // The compaction is done: it is not lost because the account is away.
    if (!(error instanceof BudgetUnreachable) || trigger === "auto") throw error;
  }
  return after;
}

/** In tokens by length. On demand, all but the last exchange is summarised; near the limit, only as much as necessary. */
function limitsOf({ model, log: { steps, begin } }: Turn, { trigger, frame, density }: CompactionRequest): KeptLimits {
  const room = promptLimit(model);
  const share = room * KEPT;
  const summary = Math.min(model.contextTokens - room, share);
  // Beside what always stays: the frame, the summary and the message that is being answered.
  const last = (room * FULL - summary) / density - tokensOfFrame(frame) - tokensOfSteps([steps[begin]]);
  const compacted = steps.findLastIndex(({ kind }) => kind === "compaction");
  const exchange =
    trigger === "auto" ? 0 : steps.findLastIndex((step, at) => step.kind === "user" && isSaid(steps, at));
  return { from: Math.max(exchange, compacted + 1), most: Math.min(share / density, last), last };
}

/** Whether the summary would replace anything but the message that is being answered, which stays. */
function losesAnything(log: readonly Step[], kept: number): boolean {
  const cut = log.length - kept;
  const { steps } = afterCompaction(log.slice(0, cut));
  const asked = log.slice(cut).some(({ kind }) => kind === "user")
    ? undefined
    : steps.findLast((step, at) => step.kind === "user" && isSaid(steps, at));
  return transcript(steps.filter((step) => step !== asked)).length > 0;
}
