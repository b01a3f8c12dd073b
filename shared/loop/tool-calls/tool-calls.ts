// The tool calls of one assistant message, side by side. Whatever goes wrong becomes an `is_error` result: the model is told, the turn
// goes on. A call that has to be approved waits in the log; the others are not held up by it.
import type { ToolUseBlock } from "@anthropic-ai/sdk/resources/messages/messages";
import type { Approval } from "../log/approval.ts";
import { BudgetSpent } from "../../budget/limits.ts";
import { ledger, sinceLastAnswer, type CallState } from "../log/ledger.ts";
import type { AssistantStep } from "../log/step.ts";
import { ToolSpan } from "../spans/call-spans.ts";
import { checkToolCalls, spentIn } from "../log/spending.ts";
import { stopFor } from "../log/stopped.ts";
import { runCall } from "./tool-call.ts";
import { withdrawQuestions } from "./close-calls.ts";
import type { Turn } from "../turn.ts";

/**
 * Runs every call of the message that is not settled. Resolves to what is waited for; empty when all have their results.
 * Rejects with the signal's reason, TurnStopped or what the account throws; results until then are in the log.
 */
export async function runToolCalls(
  message: AssistantStep,
  turn: Turn,
  signal: AbortSignal,
): Promise<readonly Approval[]> {
  const calls = message.content.filter((block) => block.type === "tool_use");
  const states = ledger(sinceLastAnswer(turn.log.steps));
  const stateOf = ({ id }: ToolUseBlock): CallState => states.get(id) ?? { is: "new" };
  const open = calls.filter((block) => stateOf(block).is !== "settled");
  // None is left where only the hooks of the batch had not run.
  if (open.length > 0) await book(calls, turn, signal);
  const outcomes = await Promise.allSettled(
    open.map((block) => takeCall(block, stateOf(block), message, turn, signal)),
  );
  signal.throwIfAborted();
  const waits = outcomes.flatMap((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
  if (waits.length === 0) await endBatch(calls, turn, signal);
  return waits;
}

/** Books the calls of a message once. What goes over the budget is not run, and the model is told so. */
async function book(calls: readonly ToolUseBlock[], turn: Turn, signal: AbortSignal): Promise<void> {
  const own = turn.log.own();
  const round = own.filter(({ kind }) => kind === "assistant").length;
  try {
    const over = checkToolCalls(turn.budget.limits, spentIn(own, undefined));
    if (over) throw over;
    await turn.budget.account?.countToolCalls(`round ${round}`, calls.length, signal);
  } catch (error) {
    if (error instanceof BudgetSpent) {
      const states = ledger(sinceLastAnswer(turn.log.steps));
      // One that has begun, or waits for an answer, is closed with the turn: it may have run effect, and others are to be told.
      for (const { id } of calls.filter((call) => !states.has(call.id)))
        turn.log.append({ kind: "tool_result", toolUseId: id, content: `Not run: ${error.message}`, isError: true });
    }
    throw error;
  }
}

async function takeCall(
  block: ToolUseBlock,
  state: CallState,
  message: AssistantStep,
  turn: Turn,
  signal: AbortSignal,
): Promise<readonly Approval[]> {
  if (state.is === "peer_waits") return state.approvals;
  if (state.is === "asked") return [state.approval];
  const { emit, log } = turn;
  emit({ type: "tool_start", id: block.id, name: block.name, input: block.input });
  const tool = turn.tools.find(({ name }) => name === block.name);
  const span = new ToolSpan(turn.trace, block, tool);
  try {
    const notes: string[] = [];
    const writeNotes = () => notes.forEach((text) => log.append({ kind: "note", about: "context", text }));
    const outcome = await runCall({ block, state, message, tool, turn, span, signal, notes });
    if ("waits" in outcome) {
      writeNotes();
      span.waits(outcome.waits);
      return outcome.waits;
    }
    const { content, errorType, denied, stop } = outcome;
    const isError = errorType !== undefined;
    const usage = turn.peerUsage(block.id);
    withdrawQuestions(log, turn.trace, block.id);
    log.append({
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
    stopFor(stop, log);
    return [];
  } catch (error) {
    span.giveUp(error, signal);
    throw error;
  }
}

/** The hooks that look at all results of a message together. */
async function endBatch(calls: readonly ToolUseBlock[], turn: Turn, signal: AbortSignal): Promise<void> {
  const since = sinceLastAnswer(turn.log.steps);
  const responses = new Map(
    since.flatMap((step) => (step.kind === "tool_result" ? [[step.toolUseId, step.content]] : [])),
  );
  const tool_calls = calls.map(({ id, name, input }) => ({
    tool_name: name,
    tool_use_id: id,
    tool_input: input,
    tool_response: responses.get(id),
  }));
  const said = await turn.hook({ hook_event_name: "PostToolBatch", tool_calls }, signal);
  if (said.additionalContext) turn.log.append({ kind: "note", about: "batch", text: said.additionalContext });
  stopFor(said.stop ?? said.block, turn.log);
}
