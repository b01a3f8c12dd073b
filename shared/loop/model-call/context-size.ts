// Estimates how full a model's context is: the usage of the last answer is exact, later steps count by their length. Where a backend
// reports a figure that the text cannot have, the length alone counts.
import { ModelError, type Model, type ModelRequest } from "../../models/model.ts";
import type { Step } from "../log/step.ts";
import { afterCompaction, isSaid } from "../log/conversation.ts";

/** Bytes of UTF-8 a token, on the careful side: English has about four, Chinese about three (one character). */
const BYTES_PER_TOKEN = 3;
/** The most bytes a token of any text. */
const MOST_BYTES_PER_TOKEN = 12;
/** Tokens that a backend may add to a request by itself. */
const MOST_ADDED = 20_000;
const ENCODER = new TextEncoder();

/** Shares of the prompt limit: what a request may have, and from where on the backend is asked for its real size. */
export const FULL = 0.95;
export const LOOK_CLOSER = 0.7;

/** A request without its conversation. */
export type Frame = Pick<ModelRequest, "system" | "tools" | "outputSchema">;

/** The most tokens of a request: its answer needs the rest of the context. */
export function promptLimit({ contextTokens, maxTokens }: Pick<Model, "contextTokens" | "maxTokens">): number {
  return Math.max(contextTokens - maxTokens, contextTokens / 2);
}

/** Estimated tokens of the next request. */
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

/** The same by length alone, without the usage of answers. */
export function tokensByLength(log: readonly Step[], frame: Frame): number {
  const { steps, compaction } = afterCompaction(log);
  return tokensOfSteps([...steps, compaction]) + tokensOfFrame(frame);
}

/** Tokens of steps, by length. */
export function tokensOfSteps(steps: readonly (Step | undefined)[]): number {
  return toTokens(bytesOfSteps(steps));
}

function bytesOfSteps(steps: readonly (Step | undefined)[]): number {
  return steps.reduce((sum, step, index) => sum + (isSaid(steps, index) ? sizeOf(step) : 0), 0);
}

/** Tokens of the frame, by length; without the conversation where a whole request is passed. */
export function tokensOfFrame(frame: Frame): number {
  return toTokens(bytesOfFrame(frame));
}

/** Of frames that were measured: they are the same for all calls of a turn. */
const frameBytes = new WeakMap<Frame, number>();

function bytesOfFrame(frame: Frame): number {
  const bytes = frameBytes.get(frame) ?? bytesOf(JSON.stringify(partsOf(frame)));
  frameBytes.set(frame, bytes);
  return bytes;
}

function partsOf({ system, tools, outputSchema }: Frame): Frame {
  return { system, tools, ...(outputSchema ? { outputSchema } : {}) };
}

export function tokensOfText(text: string): number {
  return toTokens(bytesOf(text));
}

/** The backend's count of the request, where it gives a credible one; else the estimate. */
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

/** Whether the request of this log and frame can have so many tokens. */
function isCredible(tokens: number, log: readonly Step[], frame: Frame): boolean {
  const { steps, compaction } = afterCompaction(log);
  const all = [...steps, compaction];
  const framed = bytesOfFrame(frame);
  const bytes = bytesOfSteps(all);
  const least = (bytes - sealedBytes(all) + framed) / MOST_BYTES_PER_TOKEN;
  return tokens >= least && tokens <= bytes + framed + MOST_ADDED;
}

/** Bytes of sealed and signed blocks, which may have any number of bytes a token. */
function sealedBytes(steps: readonly (Step | undefined)[]): number {
  return steps.reduce((sum, step) => {
    if (step?.kind !== "assistant") return sum;
    const readable = step.content.filter(({ type }) => type === "text" || type === "tool_use");
    return readable.length === step.content.length ? sum : sum + sizeOf(step) - bytesOf(JSON.stringify(readable));
  }, 0);
}

/** False for an answer before the last compaction: its usage is that of a context that is gone. */
function isMeasured(log: readonly Step[], answer: Step): boolean {
  return log.findLastIndex(({ kind }) => kind === "compaction") < log.lastIndexOf(answer);
}

/** Of steps that were measured: a step never changes. */
const stepBytes = new WeakMap<Step, number>();

function sizeOf(step: Step | undefined): number {
  if (!step) return 0;
  const bytes = stepBytes.get(step) ?? measured(step);
  stepBytes.set(step, bytes);
  return bytes;
}

function measured(step: Step): number {
  switch (step.kind) {
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
