// How full a model's context is. An estimate: what the last answer said of its request is exact, what came since is not. A figure that no
// text of that length can have is not believed: then the length alone counts.
import { ModelError, type Model, type ModelRequest } from "../../models/model.ts";
import type { Step } from "../log/step.ts";
import { afterCompaction, isSaid } from "../log/conversation.ts";

/** Bytes of UTF-8 a token, on the careful side: English has about four, Chinese about three, which is one character. */
const BYTES_PER_TOKEN = 3;
/** No text has more bytes a token. */
const MOST_BYTES_PER_TOKEN = 12;
/** Tokens that a backend may add to a request by itself. No text has more tokens than bytes. */
const MOST_ADDED = 20_000;
const ENCODER = new TextEncoder();

/** How much of the room a request may take, and from where on it is worth asking the backend how much it really takes. */
export const FULL = 0.95;
export const LOOK_CLOSER = 0.7;

/** What a request holds beside the conversation. */
export type Frame = Pick<ModelRequest, "system" | "tools" | "outputSchema">;

/** Tokens of a request that leave room for its answer. */
export function promptLimit({ contextTokens, maxTokens }: Pick<Model, "contextTokens" | "maxTokens">): number {
  return Math.max(contextTokens - maxTokens, contextTokens / 2);
}

/** Tokens of the request that the log would make now, with its frame. */
export function estimateTokens(log: readonly Step[], frame: Frame): number {
  const { steps } = afterCompaction(log);
  const at = steps.findLastIndex(({ kind }) => kind === "assistant");
  const last = steps[at];
  if (last?.kind === "assistant" && isMeasured(log, last)) {
    const { inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens } = last.usage;
    const known = inputTokens + cacheReadTokens + cacheWriteTokens + outputTokens;
    if (isCredible(known, log.slice(0, log.lastIndexOf(last) + 1), frame))
      return known + tokensOfSteps(steps.slice(at + 1));
  }
  return tokensByLength(log, frame);
}

/** The same by length alone, whatever answers said. */
export function tokensByLength(log: readonly Step[], frame: Frame): number {
  const { steps, compaction } = afterCompaction(log);
  return tokensOfSteps([...steps, compaction]) + tokensOfFrame(frame);
}

/** Tokens of some steps, by their length. */
export function tokensOfSteps(steps: readonly (Step | undefined)[]): number {
  return toTokens(bytesOfSteps(steps));
}

function bytesOfSteps(steps: readonly (Step | undefined)[]): number {
  return steps.reduce((sum, step, index) => sum + (isSaid(steps, index) ? sizeOf(step) : 0), 0);
}

/** By its length. The conversation is none of it, even where a whole request is passed. */
export function tokensOfFrame(frame: Frame): number {
  return tokensOfText(JSON.stringify(partsOf(frame)));
}

function partsOf({ system, tools, outputSchema }: Frame): Frame {
  return { system, tools, ...(outputSchema ? { outputSchema } : {}) };
}

export function tokensOfText(text: string): number {
  return toTokens(bytesOf(text));
}

/** The backend's count of what the log says where it has one that can be true, else the estimate. */
export async function countTokens(
  model: Model,
  request: ModelRequest,
  { log, estimate }: { readonly log: readonly Step[]; readonly estimate: number },
  signal: AbortSignal,
): Promise<number> {
  try {
    const counted = await model.countTokens(request, signal);
    return counted !== undefined && isCredible(counted, log, request) ? counted : estimate;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ModelError)
      return error.code === "prompt_too_long" ? Math.max(estimate, model.contextTokens) : estimate;
    throw error;
  }
}

/** Whether a request that the log made with this frame can have had so many tokens. */
function isCredible(tokens: number, log: readonly Step[], frame: Frame): boolean {
  const { steps, compaction } = afterCompaction(log);
  const all = [...steps, compaction];
  const framed = bytesOf(JSON.stringify(partsOf(frame)));
  const least = (bytesOfSteps(all.map(readable)) + framed) / MOST_BYTES_PER_TOKEN;
  return tokens >= least && tokens <= bytesOfSteps(all) + framed + MOST_ADDED;
}

/** Without what is sealed or signed, which may have any number of bytes a token. */
function readable(step: Step | undefined): Step | undefined {
  if (step?.kind !== "assistant") return step;
  return { ...step, content: step.content.filter(({ type }) => type === "text" || type === "tool_use") };
}

/** An answer from before a compaction speaks of a context that is gone. */
function isMeasured(log: readonly Step[], answer: Step): boolean {
  return log.findLastIndex(({ kind }) => kind === "compaction") < log.lastIndexOf(answer);
}

function sizeOf(step: Step | undefined): number {
  switch (step?.kind) {
    case "user":
    case "note":
      return bytesOf(step.text);
    case "assistant":
      return bytesOf(JSON.stringify(step.content));
    case "tool_result":
      return bytesOf(step.content);
    case "compaction":
      return bytesOf(step.summary);
    default:
      return 0;
  }
}

function bytesOf(text: string): number {
  return ENCODER.encode(text).byteLength;
}

function toTokens(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}
