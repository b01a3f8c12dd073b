// Runs the tool calls of one assistant message side by side. A failure becomes an `is_error` result, and the turn continues. A call that
// needs an approval waits in the log and does not hold up the others.
import type { ToolUseBlock } from "@anthropic-ai/sdk/resources/messages/messages";
import type { Approval } from "../log/approval.ts";
import { BudgetSpent } from "../../budget/limits.ts";
import { ledger, sinceLastAnswer, type CallState } from "../log/ledger.ts";
import type { AssistantStep, Step } from "../log/step.ts";
import { ToolSpan } from "../spans/call-spans.ts";
import { checkToolCalls, spentIn } from "../log/spending.ts";
import { stopFor } from "../log/stopped.ts";
import { runCall } from "./tool-call.ts";
import { withdrawQuestions } from "./close-calls.ts";
import { mayRepeat } from "../tools/tool.ts";
import type { Turn } from "../turn.ts";

/**
 * Runs every call of the message that is not settled. Resolves to the approvals that are waited for; empty when all calls have results.
 * Rejects with the signal's reason, TurnStopped or what the account throws. Results until then are in the log.
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
  // No call is open where only the PostToolBatch hooks had not run.
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

/** Books the calls of a message once. Calls beyond the budget are not run, and their results say so. */
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
      // Calls that have begun or wait are closed with the turn: they may have taken effect, and peers have to learn of it.
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
    const result: Step = {
      kind: "tool_result",
      toolUseId: block.id,
      content,
      isError,
      ...(denied ? { denied } : {}),
      ...(usage ? { usage } : {}),
    };
    if (tool && !isError && mayRepeat(tool)) log.appendLater(result);
    else log.append(result);
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

/** Runs the PostToolBatch hooks, which see all results of a message together. */
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
