// Summarises the older part of a conversation: by the API's own compaction where there is one, else by a model call. Both are paid and
// traced like any other call, also when they fail.
import { ModelError, type Compaction, type ModelErrorCode, type ModelRequest } from "../../models/model.ts";
import { NO_USAGE, type Usage } from "../../budget/usage.ts";
import {
  allowedTokens,
  searchesIn,
  callReserved,
  measured,
  meterOf,
  type MeteredCall,
} from "../model-call/metered-call.ts";
import { COMPACTION_INSTRUCTIONS } from "./prompt.ts";
import { promptLimit, tokensOfFrame, tokensOfText, type Frame } from "../model-call/context-size.ts";
import { mayHaveBegun } from "../model-call/call-model.ts";
import { answerText, type AssistantStep, type CompactionStep, type Step } from "../log/step.ts";
import { shorten, tokensOfConversation, withoutThinking } from "./shorten.ts";
import { ChatSpan } from "../spans/call-spans.ts";
import { conversationOf, type Conversation } from "../log/conversation.ts";
import { originOf } from "../log/sendable.ts";
import type { Turn } from "../turn.ts";

export interface CompactionRequest {
  readonly trigger: "auto" | "manual";
  /** What the summary has to keep, in the person's words. */
  readonly instructions: string | null;
  readonly frame: Frame;
  /** Tokens of the context before. */
  readonly tokens: number;
  /** Real tokens for each token by length, as far as it is known. */
  readonly density: number;
  /** The backend had refused the conversation as too long. */
  readonly refused?: true;
}

type Failed = Extract<Step, { kind: "compaction_failed" }>;

export interface Summary extends Pick<CompactionStep, "usage" | "block" | "origin" | "reservation"> {
  readonly text: string;
}

/** No usable summary could be made. The message says why. */
export class NoSummary extends Error {
  override readonly name = "NoSummary";
}

/** Errors that concern the request, not the API: another request may succeed. */
const REFUSED: ReadonlySet<ModelErrorCode> = new Set(["invalid_request", "too_long", "prompt_too_long"]);

/** How often a conversation that is too long to be summarised is shortened, by half or more each time. */
const MAX_SHORTER = 5;

/** Throws NoSummary, after the failure is in the log, and what callReserved throws. */
export async function summarise(
  turn: Turn,
  old: readonly Step[],
  compaction: CompactionRequest,
  signal: AbortSignal,
): Promise<Summary> {
  const focus = compaction.instructions === null ? "" : `\n\nWhat matters most: ${compaction.instructions}`;
  const asked = `${COMPACTION_INSTRUCTIONS}${focus}`;
  let most = promptLimit(turn.model) / compaction.density - tokensOfFrame(compaction.frame) - tokensOfText(asked);
  for (let shorter = 0; ; shorter++) {
    const conversation = shorten(conversationOf(old, turn.model), most);
    try {
      return (
        (await summaryByApi(turn, conversation, asked, compaction, signal)) ??
        (await summaryByModel(turn, conversation, focus, compaction, signal))
      );
    } catch (error) {
      if (!(error instanceof ModelError) || !REFUSED.has(error.code)) throw error;
      if (error.code !== "prompt_too_long" || shorter === MAX_SHORTER) {
        await fail(turn, compaction, "model", error.message, { usage: NO_USAGE });
        throw new NoSummary(error.message, { cause: error });
      }
      most = Math.min(most, tokensOfConversation(conversation)) / Math.max(2, error.timesTooLong ?? 0);
    }
  }
}

/** Undefined where the API has no compaction, or compacts not this conversation. */
async function summaryByApi(
  turn: Turn,
  conversation: Conversation,
  instructions: string,
  compaction: CompactionRequest,
  signal: AbortSignal,
): Promise<Summary | undefined> {
  const { model, trace } = turn;
  if (!model.compact || model.canCompact?.() === false) return undefined;
  const searches = searchesIn(compaction.frame.tools);
  const plan = planned(turn, compaction, signal);
  const { meter, reservation } = meterOf(turn, { ...plan, ...searches });
  const maxTokens = await meter.begin();
  const { system, tools } = compaction.frame;
  const request = { system, tools, ...conversation, ...(maxTokens === undefined ? {} : { maxTokens }) };
  const span = new ChatSpan(trace, model, request, 1, false);
  let made: Compaction;
  try {
    made = await model.compact(request, instructions, signal, (notice) => span.noticed(notice));
  } catch (error) {
    span.fail(error, signal);
    await meter.failed(signal.aborted || mayHaveBegun(error));
    signal.throwIfAborted();
    // The summarising call shows whether only the compaction failed, or the whole API.
    if (error instanceof ModelError) return undefined;
    throw error;
  }
  const { block } = made;
  const usage = measured(
    made.usage,
    plan.inputTokens,
    block ? [{ kind: "note", about: "context", text: block.content }] : [],
  );
  const content = block ? [{ type: "text" as const, text: block.content, citations: null }] : [];
  span.used(usage);
  span.end({ model: model.name, stopReason: null, content });
  const cost = paid(usage, reservation());
  if (block) return { text: block.content, block, origin: originOf(model), ...cost };
  await fail(turn, compaction, "api", "The API made no summary of it.", cost);
  return undefined;
}

async function summaryByModel(
  turn: Turn,
  conversation: Conversation,
  focus: string,
  compaction: CompactionRequest,
  signal: AbortSignal,
): Promise<Summary> {
  const last = {
    role: "user" as const,
    content: [{ type: "text" as const, text: `Summarise the conversation above.${focus}` }],
  };
  const request: ModelRequest = {
    ...conversation,
    system: COMPACTION_INSTRUCTIONS,
    messages: [...withoutThinking(conversation.messages), last],
    tools: [],
  };
  // Who watches the answer must not see the summary.
  const quiet: Turn = { ...turn, emit: (event) => event.type !== "text_delta" && turn.emit(event) };
  const { answer, reservation } = await callReserved(quiet, request, planned(turn, compaction, signal));
  const flaw = flawOf(answer);
  if (flaw === undefined) return { text: answerText(answer).trim(), ...paid(answer.usage, reservation) };
  await fail(turn, compaction, "model", flaw, paid(answer.usage, reservation));
  throw new NoSummary(flaw);
}

/** Why an answer is no summary. Half a summary would leave out what happened last. */
function flawOf(answer: AssistantStep): string | undefined {
  switch (answer.stopReason) {
    case "end_turn":
    case "stop_sequence":
    case null:
      return answerText(answer).trim() === "" ? "The model returned no summary." : undefined;
    case "refusal":
      return "The model refused to summarise it.";
    case "max_tokens":
      return "The summary did not fit the tokens that it may have.";
    default:
      return `The summary broke off (${answer.stopReason}).`;
  }
}

/** Logs and pays for an attempt that made no summary. */
async function fail(
  turn: Turn,
  { trigger, refused }: CompactionRequest,
  by: Failed["by"],
  reason: string,
  cost: Pick<Failed, "usage" | "reservation">,
): Promise<void> {
  turn.log.append({ kind: "compaction_failed", trigger, by, reason, ...(refused ? { refused } : {}), ...cost });
  if (cost.reservation !== undefined) await turn.budget.account?.settle(cost.reservation, cost.usage);
}

function paid(usage: Usage, reservation: string | undefined): Pick<Failed, "usage" | "reservation"> {
  return reservation === undefined ? { usage } : { usage, reservation };
}

/** The call, within what the context holds. Throws BudgetSpent or PriceUnknown. */
function planned(turn: Turn, { tokens }: CompactionRequest, signal: AbortSignal): MeteredCall {
  const room = promptLimit(turn.model);
  const inputTokens = Math.min(tokens, Math.ceil(room));
  const maxTokens = Math.min(allowedTokens(turn, inputTokens), Math.floor(turn.model.contextTokens - room));
  return { ordinal: 0, inputTokens, maxTokens, signal };
}
