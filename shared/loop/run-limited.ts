// Runs a tool until it settles, its time is up or the turn ends, whether it listens to its signal or not.
import { Stopwatch } from "../resilience/stopwatch.ts";
import { ERROR } from "../tracing/names.ts";
import type { Tool, ToolCall } from "./tool.ts";
import { untilAborted } from "../resilience/until-aborted.ts";

const DEFAULT_TOOL_LIMIT_MS = 60_000;

/** Resolves to the tool's output. Throws what the tool throws, or why it was given up. */
export async function runLimited(
  tool: Tool,
  input: unknown,
  call: Omit<ToolCall, "signal">,
  signal: AbortSignal,
): Promise<string> {
  const limitMs = tool.limitMs === undefined ? DEFAULT_TOOL_LIMIT_MS : tool.limitMs;
  const limit = new AbortController();
  const time =
    limitMs === null
      ? undefined
      : Stopwatch.start(limitMs, () => {
          const message = `${tool.name} did not return within ${limitMs / 1000} s and was given up.`;
          limit.abort(new DOMException(message, ERROR.timeout));
        });
  try {
    const both = AbortSignal.any([signal, limit.signal]);
    const output: unknown = await untilAborted(tool.run(input, { ...call, signal: both }), both);
    if (typeof output === "string") return output;
    throw new DOMException(
      `${tool.name} returned no text, but ${typeof output}: it has to be put right.`,
      ERROR.invalidOutput,
    );
  } finally {
    time?.stop();
  }
}
