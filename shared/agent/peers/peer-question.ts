// One question to a peer, once it is in the log: sends it, follows the peer's task, and passes on what the peer asks back.
import { Role, type Message } from "@a2a-js/sdk";
import { RequestMalformedError, UnsupportedOperationError } from "@a2a-js/sdk/errors";
import { dataPart, textMessage } from "../../a2a/message.ts";
import { askPeer } from "../../a2a/peer-client.ts";
import { PeerUnreachable, type PeerOutcome } from "../../a2a/peer-outcome.ts";
import { ApprovalsAsked, EXPIRED } from "../../loop/log/approval.ts";
import type { TurnHook } from "../../loop/hooks/turn-hook.ts";
import { questionOf } from "../../loop/log/ledger.ts";
import { peerCall, type PeerCall, type PeerCallStep } from "../../loop/log/peer-question.ts";
import { InputRequired, type Question } from "../../loop/tools/peers.ts";
import type { TurnTrace } from "../../loop/spans/turn-trace.ts";
import type { Step } from "../../loop/log/step.ts";
import type { TurnLog } from "../../loop/log/turn-log.ts";
import { ApprovalSpan } from "../../loop/spans/wait-spans.ts";
import { withdrawQuestions } from "../../loop/tool-calls/close-calls.ts";
import type { TraceContext } from "../../tracing/trace-context.ts";
import type { Usage } from "../../budget/usage.ts";
import { breakerOf } from "../breakers.ts";
import { AskingSpan, loggedSpan } from "./question-span.ts";
import { configOf, type AgentEnv } from "../env.ts";
import { cancelAtPeer, signerFor, type Connection } from "./connection.ts";
import type { Asker } from "../caller.ts";
import { remoteApprovals } from "./remote-approvals.ts";
import type { Opened } from "./threads.ts";

/** Approvals that a peer may ask for at once, and rounds of them in one question. */
const MAX_APPROVALS = 100;
const MAX_ROUNDS = 100;
const MIN_WAIT_MS = 1_000;
const MAX_SHOWN = 500;

type AsksBack = Extract<PeerOutcome, { is: "input_required" }>;

/** The turn that asks. */
export interface PeersTurn {
  readonly contextId: string;
  readonly taskId: string;
  readonly asker: Asker;
  readonly trace: Pick<TurnTrace, "tracer" | "task" | "agent" | "contextId">;
  /** The span of the turn's earlier life. */
  readonly earlierTurn: TraceContext | undefined;
  readonly log: TurnLog;
  readonly hook: TurnHook;
  /** Runs `work`, which waits for a peer, while another turn may have this one's slot. */
  readonly whileAway: <Result>(work: () => Promise<Result>, signal: AbortSignal) => Promise<Result>;
  /** Threads that were opened before the log begins, if it leaves out any. */
  readonly earlierThreads: () => readonly Opened[];
  /** Steps of the whole session: they hold the agents that were found. */
  readonly sessionSteps: () => readonly Step[];
  readonly onUsage: (toolUseId: string, usage: Usage) => void;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** A question on its way. */
interface PeerQuestion {
  readonly env: AgentEnv;
  readonly turn: PeersTurn;
  readonly question: Question;
  readonly connection: Connection;
  readonly call: PeerCallStep;
  /** What the log says of the question from before. */
  readonly past: PeerCall;
  /** Called before a message goes to the peer. */
  readonly onSent: () => void;
}

/** Sends the question, or the answers to what the peer asked back. Resolves to what the peer's task came to. */
export async function sendQuestion(asked: PeerQuestion): Promise<PeerOutcome> {
  const { question, call, past } = asked;
  const ids = { contextId: call.contextId, messageId: call.messageId };
  const message = textMessage(Role.ROLE_USER, call.message, { ...ids, taskId: call.taskId ?? "" });
  if (past.answers.length === 0 || !past.input) {
    if (past.call && !past.isPast) endInterrupted(asked, past.call);
    return follow(asked, message, past.call !== undefined);
  }
  const { taskId } = past.input;
  const messageId = `${call.messageId}/${past.rounds}`;
  const contextId = past.task?.contextId ?? call.contextId;
  const told = textMessage(Role.ROLE_USER, `Answers for ${question.agent}`, { contextId, messageId, taskId });
  const parts = [dataPart({ approvals: past.answers.map(toAnswer) })];
  try {
    return await follow(asked, { ...told, parts }, true);
  } catch (error) {
    // Too late, or sent before: the question, sent again, shows the state of the task.
    if (!(error instanceof RequestMalformedError || error instanceof UnsupportedOperationError)) throw error;
    return follow(asked, message, true);
  }
}

function toAnswer({
  id,
  decision,
  reason = decision === "expired" ? EXPIRED : undefined,
}: PeerCall["answers"][number]) {
  return {
    id,
    decision: decision === "allow" ? decision : ("deny" as const),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** Sends a message and follows the peer's task to its end, under a span. `repeated`: the peer may have the message. */
async function follow(asked: PeerQuestion, message: Message, repeated: boolean): Promise<PeerOutcome> {
  const { env, turn, question, connection, call, onSent } = asked;
  const { agent, signal } = question;
  const span = spanOf(asked, message.messageId, repeated);
  try {
    // A question that the peer has already passes an open circuit: the peer may be away for a moment only.
    const pass = repeated ? undefined : breakerOf(`peer:${agent}`).enter((change) => span.circuit(change));
    onSent();
    const outcome = await askPeer({
      ...connection,
      sign: signerFor(env, agent, turn.asker),
      // The peer's spans hang below the span that the log knows, whichever life it hears first.
      traceparent: repeated ? span.traceparentOf(call.spanId) : span.traceparent,
      message,
      signal,
      waitUntil: turn.waitUntil,
      repeated,
      // Answers have to be sent; any other message is known where its task is.
      remoteTask: message.messageId === call.messageId ? asked.past.task?.taskId : undefined,
      onRemoteIds: (taskId, contextId) => noteTask(asked, taskId, { contextId: contextId || call.contextId }),
      onBusy: () => pass?.success(),
      onTask: (taskId) => {
        pass?.success();
        span.opened(taskId);
        if (!connection.remote) noteTask(asked, taskId);
      },
    }).catch((error: unknown) => {
      if (signal.aborted) pass?.abandon();
      else if (error instanceof PeerUnreachable) pass?.failure(error.message);
      else pass?.success();
      throw error;
    });
    pass?.success();
    if (outcome.is === "answer") span.answered(outcome.text);
    else span.asksBack();
    if (outcome.is === "answer" || !connection.remote) return outcome;
    const { card } = connection.remote;
    const about = { agent, card, toolUseId: question.toolUseId, steps: turn.log.steps };
    const approvals = remoteApprovals(outcome.data, about);
    return approvals.length > 0 ? { ...outcome, data: [{ approvals }] } : asksInWords(asked, outcome);
  } catch (error) {
    span.fail(error, signal);
    throw error;
  }
}

function spanOf({ env, turn, question, call }: PeerQuestion, messageId: string, repeated: boolean): AskingSpan {
  const { parent, agent: target, message } = question;
  const about = { parent, source: configOf(env).id, target, contextId: call.contextId, messageId, message };
  return new AskingSpan(turn.trace.tracer, about, repeated ? undefined : { spanId: call.spanId, startTime: call.at });
}

/** Logs the task that the peer opened, once. `ids`: what an agent of others says of it. */
function noteTask(
  { turn: { log }, question, call }: PeerQuestion,
  taskId: string,
  { contextId, asksBack }: { readonly contextId: string; readonly asksBack?: true } = call,
): void {
  const { toolUseId, ordinal, agent } = question;
  const { task } = peerCall(log.steps, toolUseId, ordinal);
  if (task?.taskId === taskId && task.contextId === contextId && task.asksBack === asksBack) return;
  const { thread } = call;
  const waits = asksBack ? { asksBack } : {};
  // The question, sent again after a kill, leads to the same task.
  log.appendLater({ kind: "peer_task", toolUseId, agent, ...place(ordinal), thread, contextId, taskId, ...waits });
}

/** An agent of others asks back: the model gets the question, and answers it with its next message in this conversation. */
function asksInWords(asked: PeerQuestion, { taskId, text }: AsksBack): PeerOutcome {
  const { log } = asked.turn;
  const { toolUseId, ordinal } = asked.question;
  const contextId = peerCall(log.steps, toolUseId, ordinal).task?.contextId ?? asked.call.contextId;
  noteTask(asked, taskId, { contextId, asksBack: true });
  const said = `The agent asks back, and waits for your answer in this thread: ${text || "(it does not say what)"}`;
  return { is: "answer", text: said, usage: undefined };
}

/** Ends the span of an earlier life's question. */
function endInterrupted({ env, turn }: PeerQuestion, past: PeerCallStep): void {
  const { trace, earlierTurn } = turn;
  if (earlierTurn) loggedSpan(trace.tracer, earlierTurn, configOf(env).id, past).interrupted();
}

/**
 * The peer asks back: whoever asked this agent gets the question. Returns InputRequired, or an error for input that cannot be given.
 * Nothing is awaited between the log and the error, because the call's time might be up meanwhile.
 */
export function asksBack({ env, turn, question, past }: PeerQuestion, { taskId, text, data }: AsksBack): Error {
  const { trace, log, asker, sessionSteps, waitUntil } = turn;
  const { toolUseId, ordinal, agent } = question;
  const asked = data.flatMap((part) => ApprovalsAsked.safeParse(part).data?.approvals ?? []);
  if (asked.length === 0 || asked.length > MAX_APPROVALS || past.rounds >= MAX_ROUNDS) {
    waitUntil(cancelAtPeer(env, { agent, taskId }, asker, sessionSteps));
    return new Error(`it asks for input that cannot be given: ${text.slice(0, MAX_SHOWN)}`);
  }
  const askedAt = Date.now();
  // The peer says when they expire, within this agent's own limit.
  const [earliest, latest] = [askedAt + MIN_WAIT_MS, askedAt + configOf(env).approvals.expiresMs];
  const approvals = asked.map((approval) => ({
    ...approval,
    expiresAt: Math.round(Math.min(Math.max(approval.expiresAt, earliest), latest)),
  }));
  const fresh = approvals.filter(({ id }) => questionOf(log.steps, id) === undefined);
  // Where one of several was answered, the spans of the others stay open.
  const spanIds = approvals.map(
    (approval) =>
      questionOf(log.steps, approval.id)?.spanId ?? new ApprovalSpan(trace, approval, { startTime: askedAt }).spanId,
  );
  const ids = approvals.map(({ id }) => id);
  withdrawQuestions(log, trace, toolUseId, ids);
  log.append({ kind: "peer_input", toolUseId, agent, ...place(ordinal), taskId, approvals, askedAt, spanIds });
  // Notification hooks run only where a client is asked next; an agent in between has nobody to notify.
  return new InputRequired(approvals, asker.chain.length === 0 ? fresh : []);
}

/** Steps leave out the place of a call's first question. */
export function place(ordinal: number): { ordinal?: number } {
  return ordinal === 1 ? {} : { ordinal };
}
