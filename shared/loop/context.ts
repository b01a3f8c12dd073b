// How full a model's context is. An estimate: what the last answer said of its request is exact, what came since is not.
import type { ModelRequest } from "../models/model.ts";
import type { Step } from "./step.ts";
import { afterCompaction, isSaid } from "./step.ts";

/** Bytes of UTF-8 a token, on the careful side: English has about four, Chinese about three, which is one character. */
const BYTES_PER_TOKEN = 3;
const ENCODER = new TextEncoder();

/** What a request holds beside the conversation. */
export type Frame = Pick<ModelRequest, "system" | "tools" | "outputSchema">;

/** Tokens of the request that the log would make now, with its frame. */
export function estimateTokens(log: readonly Step[], frame: Frame): number {
  const { steps, compaction } = afterCompaction(log);
  const at = steps.findLastIndex(({ kind }) => kind === "assistant");
  const last = steps[at];
  if (last?.kind === "assistant" && isMeasured(log, last)) {
    const { inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens } = last.usage;
    const known = inputTokens + cacheReadTokens + cacheWriteTokens + outputTokens;
    if (known > 0) return known + tokensOf(steps.slice(at + 1));
  }
  return tokensOf([...steps, compaction]) + tokensOfFrame(frame);
}

/** Tokens of some steps, by their length. */
export function tokensOf(steps: readonly (Step | undefined)[]): number {
  return toTokens(steps.reduce((sum, step, index) => sum + (isSaid(steps, index) ? sizeOf(step) : 0), 0));
}

/** By its length. The conversation is none of it, even where a whole request is passed. */
function tokensOfFrame({ system, tools, outputSchema }: Frame): number {
  return toTokens(bytesOf(JSON.stringify({ system, tools, outputSchema })));
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
