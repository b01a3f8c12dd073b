// The tool calls of one assistant message, side by side. Whatever goes wrong becomes an `is_error` result: the model is told, the turn
// goes on. A call that has to be approved waits in the log; the others are not held up by it.
import type { ToolUseBlock } from "@anthropic-ai/sdk/resources/messages/messages";
import type { TraceContext } from "../tracing/trace-context.ts";
import type { Usage } from "../budget/usage.ts";
import type { Approval, ApprovalRule } from "./approval.ts";
import { BudgetSpent, type Limits } from "../budget/limits.ts";
import type { LoopEvent } from "./event.ts";
import type { CanUseTool } from "./can-use-tool.ts";
import type { TurnHook } from "./hooks/turn-hook.ts";
import { ledger, sinceLastAnswer, type CallState } from "./ledger.ts";
import type { AssistantStep } from "./model-call.ts";
import type { Peers } from "./peers.ts";
import type { Permissions } from "./permissions.ts";
import { ToolSpan, type TurnTrace } from "./spans.ts";
import { checkToolCalls, spentIn } from "./spending.ts";
import type { Step } from "./step.ts";
import { stopFor } from "./stopped.ts";
import { settle } from "./tool-call.ts";
import type { Tool, ToolCall } from "./tool.ts";
import { withdrawQuestions } from "./withdrawn.ts";

export interface ToolRuntime {
  readonly tools: readonly Tool[];
  readonly permissions: Permissions;
  readonly canUseTool: CanUseTool | undefined;
  /** Runs the agent's hooks for an event; resolves whatever they do. */
  readonly hook: TurnHook;
  /** Answers that the job gives to what it asks. */
  readonly policy: readonly ApprovalRule[];
  /** Milliseconds after which an approval that nobody answered is a no. */
  readonly approvalMs: number;
  /** The id of an approval: binds it to this call of this task, to the byte. */
  readonly approvalId: (call: Pick<Approval, "tool" | "input"> & { readonly toolUseId: string }) => string;
  readonly call: Omit<ToolCall, "id" | "idempotencyKey" | "signal" | "span" | "peers"> & { readonly peers: Peers };
  /** The same for every repetition of a call. */
  readonly idempotencyKey: (toolUseId: string) => string;
  /** What the agents have used that a call asked. */
  readonly peerUsage: (toolUseId: string) => Usage | undefined;
  /** What the task may cost this agent. */
  readonly budget: Limits & { readonly maxTurns: number; readonly maxWallMs: number };
  /** Books calls at the query's account; throws BudgetSpent. */
  readonly countToolCalls: (id: string, count: number, signal: AbortSignal) => Promise<void>;
  /** The thread's log, the task's own steps from `begin` on; grows with each `append`. */
  readonly log: readonly Step[];
  readonly begin: number;
  /** Which life of the turn this is, from 1. */
  readonly life: number;
  /** Makes the step durable before anything that follows it can be seen outside. */
  readonly append: (step: Step) => void;
  readonly emit: (event: LoopEvent) => void;
  readonly trace: TurnTrace;
  /** Tells whoever looks after the agent of what its code threw. */
  readonly report?: (failure: string, span: TraceContext) => void;
}

/**
 * Runs every call of the message that is not settled. Resolves to what is waited for; empty when all have their results.
 * Rejects with the signal's reason, TurnStopped or what the account throws; results until then are in the log.
 */
export async function runToolCalls(
  message: AssistantStep,
  runtime: ToolRuntime,
  signal: AbortSignal,
): Promise<readonly Approval[]> {
  const calls = message.content.filter((block) => block.type === "tool_use");
  const states = ledger(sinceLastAnswer(runtime.log));
  const stateOf = ({ id }: ToolUseBlock): CallState => states.get(id) ?? { is: "new" };
  const open = calls.filter((block) => stateOf(block).is !== "settled");
  // None is left where only the hooks of the batch had not run.
  if (open.length > 0) await book(calls, runtime, signal);
  const outcomes = await Promise.allSettled(
    open.map((block) => runCall(block, stateOf(block), message, runtime, signal)),
  );
  signal.throwIfAborted();
  const waits = outcomes.flatMap((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
  if (waits.length === 0) await endBatch(calls, runtime, signal);
  return waits;
}

/** Books the calls of a message once. What goes over the budget is not run, and the model is told so. */
async function book(calls: readonly ToolUseBlock[], runtime: ToolRuntime, signal: AbortSignal): Promise<void> {
  const own = runtime.log.slice(runtime.begin);
  const round = own.filter(({ kind }) => kind === "assistant").length;
  try {
    const over = checkToolCalls(runtime.budget, spentIn(own, undefined));
    if (over) throw over;
    await runtime.countToolCalls(`round ${round}`, calls.length, signal);
  } catch (error) {
    if (error instanceof BudgetSpent) {
      const states = ledger(sinceLastAnswer(runtime.log));
      // One that has begun, or waits for an answer, is closed with the turn: it may have taken effect, and others are to be told.
      for (const { id } of calls.filter((call) => !states.has(call.id)))
        runtime.append({ kind: "tool_result", toolUseId: id, content: `Not run: ${error.message}`, isError: true });
    }
    throw error;
  }
}

async function runCall(
  block: ToolUseBlock,
  state: CallState,
  message: AssistantStep,
  runtime: ToolRuntime,
  signal: AbortSignal,
): Promise<readonly Approval[]> {
  if (state.is === "peer_waits") return state.approvals;
  if (state.is === "asked") return [state.approval];
  const { emit, append } = runtime;
  emit({ type: "tool_start", id: block.id, name: block.name, input: block.input });
  const tool = runtime.tools.find(({ name }) => name === block.name);
  const span = new ToolSpan(runtime.trace, block, tool);
  try {
    const notes: string[] = [];
    const writeNotes = () => notes.forEach((text) => append({ kind: "note", about: "context", text }));
    const outcome = await settle({ block, state, message, tool, runtime, span, signal, notes });
    if ("waits" in outcome) {
      writeNotes();
      span.waits(outcome.waits);
      return outcome.waits;
    }
    const { content, errorType, denied, stop } = outcome;
    const isError = errorType !== undefined;
    const usage = runtime.peerUsage(block.id);
    withdrawQuestions(runtime, block.id);
    append({
      kind: "tool_result",
      toolUseId: block.id,
      content,
      isError,
      ...(denied ? { denied } : {}),
      ...(usage ? { usage } : {}),
    });
    writeNotes();
    span.end(content, errorType);
    emit({ type: "tool_end", id: block.id, name: block.name, isError });
    stopFor(stop, append);
    return [];
  } catch (error) {
    span.giveUp(error, signal);
    throw error;
  }
}

/** The hooks that look at all results of a message together. */
async function endBatch(calls: readonly ToolUseBlock[], runtime: ToolRuntime, signal: AbortSignal): Promise<void> {
  const since = sinceLastAnswer(runtime.log);
  const responses = new Map(
    since.flatMap((step) => (step.kind === "tool_result" ? [[step.toolUseId, step.content]] : [])),
  );
  const tool_calls = calls.map(({ id, name, input }) => ({
    tool_name: name,
    tool_use_id: id,
    tool_input: input,
    tool_response: responses.get(id),
  }));
  const said = await runtime.hook({ hook_event_name: "PostToolBatch", tool_calls }, signal);
  if (said.additionalContext) runtime.append({ kind: "note", about: "batch", text: said.additionalContext });
  stopFor(said.stop ?? said.block, runtime.append);
}
