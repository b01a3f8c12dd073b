// How full a model's context is. An estimate: what the last answer said of its request is exact, what came since is not.
import type { ModelRequest } from "../models/model.ts";
import type { Step } from "./step.ts";
import { afterCompaction } from "./step.ts";

/** Bytes of UTF-8 a token, on the careful side: English has about four, Chinese about three, which is one character. */
const BYTES_PER_TOKEN = 3;
const ENCODER = new TextEncoder();

/** Tokens of the request that the log would make now, system prompt and tools included. */
export function estimateTokens(log: readonly Step[], request: Pick<ModelRequest, "system" | "tools">): number {
  const { steps, compaction } = afterCompaction(log);
  const at = steps.findLastIndex(({ kind }) => kind === "assistant");
  const last = steps[at];
  if (last?.kind === "assistant" && isMeasured(log, last)) {
    const { inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens } = last.usage;
    const known = inputTokens + cacheReadTokens + cacheWriteTokens + outputTokens;
    if (known > 0) return known + tokensOf(steps.slice(at + 1));
  }
  return tokensOf([...steps, compaction]) + toTokens(bytesOf(JSON.stringify(request)));
}

/** Tokens of some steps, by their length. */
export function tokensOf(steps: readonly (Step | undefined)[]): number {
  return toTokens(steps.reduce((sum, step) => sum + sizeOf(step), 0));
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
