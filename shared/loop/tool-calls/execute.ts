// Runs a permitted tool and the hooks after it, and makes the result for the model.
import { reasonOf, stackOf } from "../../text/reason.ts";
import { contextOf } from "../../tracing/tracer.ts";
import { askingNotice } from "./ask-approval.ts";
import { CallPeers } from "./call-peers.ts";
import { hintOnFiles } from "../tools/no-files.ts";
import { InputRequired } from "../tools/peers.ts";
import { nameOf } from "../spans/call-spans.ts";
import { TurnStopped } from "../log/stopped.ts";
import type { CallOutcome, CallResult, CallRun } from "./call.ts";
import { isInputError, mayRepeat, type Tool, type ToolCall } from "../tools/tool.ts";
import { toRecord } from "../../text/plain-json.ts";
import { Stopwatch } from "../../resilience/stopwatch.ts";
import { ERROR } from "../../tracing/names.ts";
import { untilAborted } from "../../resilience/until-aborted.ts";

/** Characters of a tool's output that reach the model. */
const MAX_TOOL_OUTPUT = 100_000;
/** Milliseconds for the hooks of an interrupted call: whoever canceled the task waits for them. */
const INTERRUPT_HOOK_MS = 2_000;

/** Rejects with the signal's reason. */
export async function execute(run: CallRun, tool: Tool, input: unknown): Promise<CallOutcome> {
  const { block, turn, span, signal } = run;
  const ids = { id: block.id, idempotencyKey: turn.idempotencyKey(block.id) };
  const { peers, ...call } = turn.call;
  signal.throwIfAborted();
  if (!mayRepeat(tool)) turn.log.append({ kind: "tool_start", toolUseId: block.id });
  const changed = input === block.input ? undefined : toRecord(input);
  const asking = new CallPeers(tool, peers, { ...ids, span: span.span, signal, input: changed });
  const begun = Date.now();
  let content: string;
  try {
    content = await runLimited(
      tool,
      input,
      { ...call, ...ids, span: span.span, peers: asking.peers, artifact: turn.artifact },
      signal,
    );
    if (asking.interruption) throw asking.interruption;
  } catch (thrown) {
    const error = asking.interruption ?? thrown;
    if (error instanceof InputRequired) {
      // The question is in the log, so it stands however long the hooks take.
      await Promise.all(error.untold.map((approval) => turn.hook(askingNotice(approval), signal)));
      return { waits: error.approvals };
    }
    if (error instanceof TurnStopped) return stoppedInstead(error);
    if (!signal.aborted && !isInputError(error)) reportThrown(run, tool, error);
    return afterFailure(run, tool, input, error, begun);
  } finally {
    asking.close();
  }
  const result = await afterSuccess(run, tool, input, content, begun);
  const stop = result.stop ?? asking.stop;
  return stop === undefined ? result : { ...result, stop };
}

function stoppedInstead({ message, name }: TurnStopped): CallResult {
  return {
    ...failedResult(cutResult(`This was not done, because a hook ended the turn: ${message}`), name),
    stop: message,
  };
}

/** Reports what a tool threw to its author: the span and the log get the stack, the model only the message. */
function reportThrown({ span, turn }: CallRun, tool: Tool, error: unknown): void {
  span.threw(error);
  turn.report?.(`The tool ${tool.name} threw: ${stackOf(error)}`, contextOf(span.span));
}

async function afterSuccess(
  { block, turn, signal, notes }: CallRun,
  tool: Tool,
  input: unknown,
  content: string,
  begun: number,
): Promise<CallResult> {
  const about = { tool_name: tool.name, tool_input: input, tool_use_id: block.id } as const;
  const after = await turn.hook(
    { hook_event_name: "PostToolUse", tool_response: content, duration_ms: since(begun), ...about },
    signal,
    block.id,
  );
  if (after.additionalContext) notes.push(after.additionalContext);
  const stop = after.stop === undefined ? {} : { stop: after.stop };
  if (after.failed) return { ...failedResult(after.block ?? "A PostToolUse hook failed.", "HookFailure"), ...stop };
  const told = after.updatedToolOutput ?? content;
  return { content: cutResult(after.block === undefined ? told : `${told}\n\n${after.block}`), ...stop };
}

async function afterFailure(
  { block, turn, signal }: CallRun,
  tool: Tool,
  input: unknown,
  error: unknown,
  begun: number,
): Promise<CallResult> {
  const about = { tool_name: tool.name, tool_input: input, tool_use_id: block.id } as const;
  const content = cutResult([reasonOf(error), hintOnFiles(error)].filter((text) => text !== undefined).join("\n"));
  const failure = {
    hook_event_name: "PostToolUseFailure",
    error: content,
    duration_ms: since(begun),
    ...about,
  } as const;
  if (signal.aborted) {
    // They get a signal of their own, because the turn's has aborted. Nobody needs their output, or to know that they took too long.
    const limit = AbortSignal.timeout(INTERRUPT_HOOK_MS);
    await turn.hook({ ...failure, is_interrupt: true }, limit, block.id).catch(() => undefined);
    signal.throwIfAborted();
  }
  const after = await turn.hook({ ...failure, is_interrupt: false }, signal, block.id);
  const words = [content, after.additionalContext].filter((text) => text !== undefined);
  const stop = after.stop === undefined ? {} : { stop: after.stop };
  return { ...failedResult(cutResult(words.join("\n\n")), nameOf(error)), ...stop };
}

/** Milliseconds; 0 where the clock was set back meanwhile. */
function since(begun: number): number {
  return Math.max(0, Date.now() - begun);
}

export function cutResult(text: string): string {
  // Half a surrogate pair would make the API refuse this request and all later ones of the thread.
  if (text.length <= MAX_TOOL_OUTPUT) return text.toWellFormed();
  return `${text.slice(0, MAX_TOOL_OUTPUT).toWellFormed()}\n[cut: ${text.length - MAX_TOOL_OUTPUT} of ${text.length} characters left out]`;
}

export function failedResult(content: string, errorType: string): CallResult {
  return { content, errorType };
}

const DEFAULT_TOOL_LIMIT_MS = 60_000;

/** Runs a tool until it settles, its time is up or the turn ends, whether it obeys its signal or not. Throws what it throws, or why it was given up. */
async function runLimited(
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
