// Compaction: near the limit of the context, or on demand, a summary takes the place of the conversation's older part towards the
// model. The log keeps everything. Pairs of tool_use and tool_result stay whole: what is kept begins with a message or an answer.
import type { ToolUnion } from "@anthropic-ai/sdk/resources/messages/messages";
import { ModelError, type Model, type ModelRequest } from "../models/model.ts";
import type { Usage } from "../tracing/usage.ts";
import { COMPACTION_INSTRUCTIONS } from "./compaction-prompt.ts";
import type { Conclusion } from "./conclude.ts";
import { allowedTokens } from "./allowed-tokens.ts";
import { estimateTokens, tokensOf } from "./context.ts";
import { callReserved, meterOf, type PlannedCall } from "./reserved-call.ts";
import { CompactionSpan } from "./wait-spans.ts";
import { stopFor } from "./stopped.ts";
import { afterCompaction, conversationOf, type Step } from "./step.ts";
import type { Turn } from "./turn.ts";

const COMMAND = "/compact";

/** Of the context's room, when a conversation is compacted, and how much of it recent messages may keep. */
const FULL = 0.95;
const LOOK_CLOSER = 0.7;
const KEPT = 0.2;

type CompactionStep = Extract<Step, { kind: "compaction" }>;

/** Compacts where the next request would come near the model's limit. */
export async function compactIfFull(turn: Turn, tools: ToolUnion[], signal: AbortSignal): Promise<void> {
  const { model, log, system } = turn;
  const room = roomOf(turn);
  const estimate = estimateTokens(log, { system, tools });
  if (estimate < room * LOOK_CLOSER) return;
  const tokens = await countTokens(model, { system, tools, ...conversationOf(log, model) }, estimate, signal);
  if (tokens < room * FULL) return;
  await compactNow(turn, { trigger: "auto", instructions: null, tools, tokens }, signal);
}

/** The message `/compact`, perhaps with words on what matters. */
export async function compactOnDemand(turn: Turn, text: string, signal: AbortSignal): Promise<Conclusion> {
  const done = turn.log.slice(turn.begin).find((step) => step.kind === "compaction");
  const instructions = text.slice(COMMAND.length).trim() || null;
  const tokens = estimateTokens(turn.log, { system: turn.system, tools: [] });
  const result = done ?? (await compactNow(turn, { trigger: "manual", instructions, tools: [], tokens }, signal));
  const said =
    typeof result === "string"
      ? result
      : `The conversation was compacted: about ${result.tokensBefore} tokens before, ${result.tokensAfter} now.`;
  return { subtype: "success", text: said, stopReason: null };
}

interface Wish {
  readonly trigger: "auto" | "manual";
  readonly instructions: string | null;
  readonly tools: ToolUnion[];
  /** Of the context before. */
  readonly tokens: number;
}

/** The step that was written, or why there is nothing to compact. */
async function compactNow(turn: Turn, wish: Wish, signal: AbortSignal): Promise<CompactionStep | string> {
  const { trigger, instructions: custom_instructions } = wish;
  const kept = keptSteps(turn.log, roomOf(turn) * KEPT);
  const old = turn.log.slice(0, turn.log.length - kept);
  if (!afterCompaction(old).steps.some(({ kind }) => kind === "assistant"))
    return "There is nothing to compact: the conversation has only just begun.";
  const before = await turn.hook({ hook_event_name: "PreCompact", trigger, custom_instructions }, signal);
  stopFor(before.stop, turn.append);
  if (before.block !== undefined) return `A hook kept the conversation as it is: ${before.block}`;
  const span = new CompactionSpan(turn.trace, trigger, wish.tokens);
  try {
    const traced = { ...turn, trace: { ...turn.trace, parent: span.context } };
    const summary = await summarise(traced, old, wish, signal);
    const tokensAfter = tokensOf([
      ...turn.log.slice(-kept || turn.log.length),
      { kind: "note", about: "context", text: summary.text },
    ]);
    const step: CompactionStep = {
      kind: "compaction",
      trigger,
      summary: summary.text,
      kept,
      ...(summary.block ? { block: summary.block } : {}),
      tokensBefore: wish.tokens,
      tokensAfter,
      usage: summary.usage,
      ...(summary.reservation === undefined ? {} : { reservation: summary.reservation }),
    };
    turn.append(step);
    if (summary.reservation !== undefined) await turn.account?.settle(summary.reservation, summary.usage);
    span.end(tokensAfter);
    const after = await turn.hook({ hook_event_name: "PostCompact", trigger, compact_summary: summary.text }, signal);
    stopFor(after.stop, turn.append);
    return step;
  } catch (error) {
    span.fail(error, signal);
    throw error;
  }
}

interface Summary {
  readonly text: string;
  readonly usage: Usage;
  readonly block?: NonNullable<CompactionStep["block"]>;
  readonly reservation?: string;
}

/** By the API's own compaction where it has one, else by asking the model for a summary. */
async function summarise(turn: Turn, old: readonly Step[], wish: Wish, signal: AbortSignal): Promise<Summary> {
  const { model } = turn;
  const conversation = conversationOf(old, model);
  const planned = { ordinal: 0, inputTokens: wish.tokens, maxTokens: allowedTokens(turn, wish.tokens), signal };
  const focus = wish.instructions === null ? "" : `\n\nWhat matters most: ${wish.instructions}`;
  const own = await compactedByApi(turn, { system: turn.system, tools: wish.tools, ...conversation }, focus, planned);
  if (own) return own;
  const asked: ModelRequest = {
    ...conversation,
    system: COMPACTION_INSTRUCTIONS,
    messages: [...conversation.messages, { role: "user", content: `Summarise the conversation above.${focus}` }],
    tools: [],
  };
  const { answer, reservation } = await callReserved(turn, asked, planned);
  const text = answer.content
    .map((block) => (block.type === "text" ? block.text : ""))
    .join("")
    .trim();
  if (text === "") throw new ModelError("broken_stream", "The model returned no summary of the conversation.");
  return { text, usage: answer.usage, ...(reservation === undefined ? {} : { reservation }) };
}

/** Undefined where the API has no compaction of its own, or makes none of this conversation. */
async function compactedByApi(
  turn: Turn,
  request: ModelRequest,
  focus: string,
  planned: PlannedCall,
): Promise<Summary | undefined> {
  const { compact: compaction } = turn.model;
  if (!compaction) return undefined;
  const { meter, reservation } = meterOf(turn, planned);
  const maxTokens = await meter.begin();
  try {
    const made = await compaction(
      maxTokens === undefined ? request : { ...request, maxTokens },
      `${COMPACTION_INSTRUCTIONS}${focus}`,
      planned.signal,
    );
    const reserved = reservation();
    if (made)
      return {
        text: made.summary,
        usage: made.usage,
        block: made.block,
        ...(reserved ? { reservation: reserved } : {}),
      };
    await meter.failed(false);
  } catch (error) {
    await meter.failed(true);
    planned.signal.throwIfAborted();
    // The summarising call tells whether it was the compaction or the whole API.
    if (!(error instanceof ModelError)) throw error;
  }
  return undefined;
}

/** The backend's count where it has one, else the estimate. */
async function countTokens(
  model: Model,
  request: ModelRequest,
  estimate: number,
  signal: AbortSignal,
): Promise<number> {
  try {
    return (await model.countTokens(request, signal)) ?? estimate;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ModelError) return estimate;
    throw error;
  }
}

/** Steps at the log's end that stay as they are: as many whole rounds as fit `tokens`, the last in any case. */
function keptSteps(log: readonly Step[], tokens: number): number {
  let kept = 0;
  for (let at = log.length - 1; at >= 0; at--) {
    const step = log[at];
    if (step?.kind !== "user" && step?.kind !== "assistant") continue;
    if (kept > 0 && tokensOf(log.slice(at)) > tokens) break;
    kept = log.length - at;
  }
  return kept;
}

/** Tokens of a request that leave room for its answer. */
function roomOf({ model }: Turn): number {
  return Math.max(model.contextTokens - model.maxTokens, model.contextTokens / 2);
}
