// The tool calls of one assistant message, side by side. Whatever goes wrong becomes an `is_error` result: the model is told, the turn goes on.
import { ERROR } from "../tracing/names.ts";
import { reasonOf } from "../tracing/reason.ts";
import type { ToolUseBlock } from "@anthropic-ai/sdk/resources/messages/messages";
import { suggest } from "../text/nearest.ts";
import type { LoopEvent } from "./event.ts";
import { runHooks, type Hooks } from "./hooks.ts";
import type { AssistantStep } from "./model-call.ts";
import { refusal, type Permissions } from "./permissions.ts";
import { nameOf, ToolSpan, type TurnTrace } from "./spans.ts";
import type { Step } from "./step.ts";
import type { Tool, ToolCall } from "./tool.ts";
import { untilAborted } from "./until-aborted.ts";

export type ToolResultStep = Extract<Step, { kind: "tool_result" }>;

/** Characters of a tool's output that reach the model. */
const MAX_TOOL_OUTPUT = 100_000;
const DEFAULT_TOOL_LIMIT_MS = 60_000;

export interface ToolRuntime {
  readonly tools: readonly Tool[];
  readonly permissions: Permissions;
  readonly hooks: Hooks;
  readonly call: Omit<ToolCall, "id" | "signal" | "span">;
  readonly emit: (event: LoopEvent) => void;
  readonly trace: TurnTrace;
}

/**
 * Runs every `tool_use` of the message and hands each result to `settled` as soon as it is there.
 * Rejects only with the signal's reason; results that settled until then have been handed over.
 */
export async function runToolCalls(
  message: AssistantStep,
  runtime: ToolRuntime,
  signal: AbortSignal,
  settled: (result: ToolResultStep) => void,
): Promise<void> {
  const calls = message.content.filter((block) => block.type === "tool_use");
  const outcomes = await Promise.allSettled(
    calls.map(async (block) => {
      const { emit } = runtime;
      emit({ type: "tool_start", id: block.id, name: block.name, input: block.input });
      const tool = runtime.tools.find(({ name }) => name === block.name);
      const span = new ToolSpan(runtime.trace, block, tool);
      try {
        const { content, errorType } = await runOne(block, message, tool, runtime, span, signal);
        const isError = errorType !== undefined;
        settled({ kind: "tool_result", toolUseId: block.id, content, isError });
        span.end(content, errorType);
        emit({ type: "tool_end", id: block.id, name: block.name, isError });
      } catch (error) {
        span.giveUp(error, signal);
        throw error;
      }
    }),
  );
  signal.throwIfAborted();
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

interface Result {
  readonly content: string;
  /** `error.type` of a call that failed. */
  readonly errorType?: string;
}

async function runOne(
  block: ToolUseBlock,
  message: AssistantStep,
  tool: Tool | undefined,
  runtime: ToolRuntime,
  span: ToolSpan,
  signal: AbortSignal,
): Promise<Result> {
  const { tools, permissions, hooks, call } = runtime;
  if (!tool) return failed(unknownTool(block.name, tools), ERROR.refused);
  const refused = refusal(permissions, tool.name);
  if (refused) return failed(refused, ERROR.refused);
  if (message.stopReason === "max_tokens") {
    return failed(
      "Your answer reached its token limit before this call was complete, so it was not run. Make the call shorter.",
      "max_tokens",
    );
  }
  const malformed = message.malformedInputs[block.id];
  if (malformed !== undefined) {
    return failed(
      `The input was not a JSON object, so the tool was not run: ${malformed.slice(0, 200).toWellFormed()}`,
      "ToolInputError",
    );
  }
  const about = { session_id: call.contextId, tool_name: tool.name, tool_use_id: block.id } as const;
  try {
    let input: unknown = block.input;
    const before = { hook_event_name: "PreToolUse", tool_input: input, ...about } as const;
    for (const output of await runHooks(hooks.PreToolUse, before, signal)) {
      if (output.permissionDecision === "deny") {
        return failed(output.permissionDecisionReason ?? `A hook denied the call of ${tool.name}.`, ERROR.refused);
      }
      if (output.updatedInput !== undefined) input = output.updatedInput;
    }
    if (input !== block.input) span.changed(input);
    let content = await runLimited(tool, input, { ...call, id: block.id, span: span.span }, signal);
    const after = { hook_event_name: "PostToolUse", tool_input: input, tool_response: content, ...about } as const;
    for (const output of await runHooks(hooks.PostToolUse, after, signal)) {
      if (output.updatedToolOutput !== undefined) content = output.updatedToolOutput;
    }
    return { content: cut(content) };
  } catch (error) {
    signal.throwIfAborted();
    return failed(cut(reasonOf(error)), nameOf(error));
  }
}

/** Runs the tool until it settles, its time is up or the turn ends, whether it listens to the signal or not. */
async function runLimited(
  tool: Tool,
  input: unknown,
  call: Omit<ToolCall, "signal">,
  signal: AbortSignal,
): Promise<string> {
  const limitMs = tool.limitMs === undefined ? DEFAULT_TOOL_LIMIT_MS : tool.limitMs;
  const limit = new AbortController();
  const timer =
    limitMs === null
      ? undefined
      : setTimeout(() => {
          const message = `${tool.name} did not return within ${limitMs / 1000} s and was given up.`;
          limit.abort(new DOMException(message, ERROR.timeout));
        }, limitMs);
  try {
    const both = AbortSignal.any([signal, limit.signal]);
    const output: unknown = await untilAborted(tool.run(input, { ...call, signal: both }), both);
    if (typeof output === "string") return output;
    throw new DOMException(
      `${tool.name} returned no text, but ${typeof output}: it has to be put right.`,
      ERROR.invalidOutput,
    );
  } finally {
    clearTimeout(timer);
  }
}

function unknownTool(name: string, tools: readonly Tool[]): string {
  return `There is no tool named ${name}. ${suggest(
    name,
    tools.map((tool) => tool.name),
  )}`;
}

function cut(text: string): string {
  // Half a surrogate pair would make the API refuse this request and all that follow in the thread.
  if (text.length <= MAX_TOOL_OUTPUT) return text.toWellFormed();
  return `${text.slice(0, MAX_TOOL_OUTPUT).toWellFormed()}\n[cut: ${text.length - MAX_TOOL_OUTPUT} of ${text.length} characters left out]`;
}

function failed(content: string, errorType: string): Result {
  return { content, errorType };
}
