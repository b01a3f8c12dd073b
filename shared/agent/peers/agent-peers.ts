// Asks other agents for a turn. Each question has a thread of its own, is logged before it is sent, and resumes where an earlier life of
// the turn left it. When a peer asks back, whoever asks this agent gets the question.
import { Role, type Message } from "@a2a-js/sdk";
import { RequestMalformedError, UnsupportedOperationError } from "@a2a-js/sdk/errors";
import * as z from "zod";
import { dataPart, textMessage } from "../../a2a/message.ts";
import { askPeer, PeerTaskError, PeerUnreachable, type PeerOutcome, type PeerRequest } from "../../a2a/peer-client.ts";
import { Approval, EXPIRED } from "../../loop/log/approval.ts";
import type { TurnHook } from "../../loop/hooks/turn-hook.ts";
import { questionOf } from "../../loop/log/ledger.ts";
import { peerCall, type PeerCall, type PeerCallStep } from "../../loop/log/peer-question.ts";
import { InputRequired, type FoundAgent, type Peers, type Question } from "../../loop/tools/peers.ts";
import type { TurnTrace } from "../../loop/spans/turn-trace.ts";
import type { Step } from "../../loop/log/step.ts";
import type { TurnLog } from "../../loop/log/turn-log.ts";
import { TurnStopped } from "../../loop/log/stopped.ts";
import { ApprovalSpan } from "../../loop/spans/wait-spans.ts";
import { withdrawQuestions } from "../../loop/tool-calls/close-calls.ts";
import { reasonOf } from "../../text/reason.ts";
import { randomContext, type TraceContext } from "../../tracing/trace-context.ts";
import type { Usage } from "../../budget/usage.ts";
import { breakerOf } from "../breakers.ts";
import { AskingSpan } from "./question-span.ts";
import { configOf, type AgentEnv } from "../env.ts";
import { cancelAtPeer, connect, tokenFor, type Connection } from "./connection.ts";
import { PeerThreads } from "./threads.ts";
import { searchAgents } from "../control-plane/registry-client.ts";
import type { Asker } from "../caller.ts";

/** Agents that a query may go through before it is refused, so that a → b → a → b … ends. */
export const MAX_CHAIN = 8;

/** Approvals that a peer may ask for at once, and rounds of them in one question. */
const MAX_APPROVALS = 100;
const MAX_ROUNDS = 100;
const MIN_WAIT_MS = 1_000;
const MAX_SHOWN = 500;

/** The data of a peer that asks back. */
const Asked = z.object({ approvals: z.array(Approval) });
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
  /** Steps of the whole session: they hold the agents that were found. */
  readonly sessionSteps: () => readonly Step[];
  readonly onUsage: (toolUseId: string, usage: Usage) => void;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

export class AgentPeers implements Peers {
  readonly #env: AgentEnv;
  readonly #turn: PeersTurn;
  #threads: PeerThreads | undefined;
  /** Questions that this life has sent, by call and place. When one is aborted, the peer client cancels its task. */
  readonly #sent = new Set<string>();

  constructor(env: AgentEnv, turn: PeersTurn) {
    this.#env = env;
    this.#turn = turn;
  }

  async find(query: string, signal: AbortSignal): Promise<readonly FoundAgent[]> {
    const found = await searchAgents(this.#env, query);
    // The task may have ended meanwhile: then nothing is written into its log.
    signal.throwIfAborted();
    const { topology, peers } = configOf(this.#env);
    if (topology === "static") return found.filter(({ id }) => peers.some((peer) => peer.id === id));
    if (found.length > 0) this.#turn.log.append({ kind: "found", agents: found.map(({ id }) => id) });
    return found;
  }

  async ask(question: Question): Promise<{ text: string; thread: number; stop?: string }> {
    const { toolUseId, ordinal, agent, signal } = question;
    const chain = [...this.#turn.asker.chain, configOf(this.#env).id];
    if (chain.length >= MAX_CHAIN) {
      throw new Error(
        `This question has already gone through ${chain.length} agents (${chain.join(" → ")}), which is the limit: answer with what you have.`,
      );
    }
    const past = peerCall(this.#turn.log.steps, toolUseId, ordinal);
    if (past.call && !isSame(past.call, question)) {
      this.leave(toolUseId);
      throw new Error(
        "The tool was run again and asked something else than before: a tool that asks agents has to ask the same again, in the same order.",
      );
    }
    const connection = await connect(this.#env, agent, this.#turn.sessionSteps);
    const call = past.call ?? (await this.#begin(question));
    try {
      const outcome = await this.#turn.whileAway(() => this.#send(question, connection, call, past), signal);
      if (outcome.is === "answer") {
        if (outcome.usage) this.#turn.onUsage(toolUseId, outcome.usage);
        return await this.#afterAnswer(call, outcome.text, signal);
      }
      signal.throwIfAborted();
      throw this.#waits(question, outcome, past.rounds);
    } catch (error) {
      if (error instanceof InputRequired || error instanceof TurnStopped) throw error;
      if (error instanceof PeerTaskError && error.usage) this.#turn.onUsage(toolUseId, error.usage);
      signal.throwIfAborted();
      throw new Error(`The agent ${agent} did not answer: ${reasonOf(error)}`, { cause: error });
    }
  }

  leave(toolUseId: string): void {
    const { call, task } = peerCall(this.#turn.log.steps, toolUseId);
    if (this.#sent.has(keyOf(toolUseId, call?.ordinal))) return;
    const { asker, sessionSteps, waitUntil } = this.#turn;
    if (task) waitUntil(cancelAtPeer(this.#env, task, asker, sessionSteps));
  }

  /** Sends the question, or the answers to what the peer asked back. */
  async #send(question: Question, connection: Connection, call: PeerCallStep, past: PeerCall): Promise<PeerOutcome> {
    const { agent } = question;
    const ids = { contextId: call.contextId, messageId: call.messageId };
    const asked = textMessage(Role.ROLE_USER, call.message, ids);
    if (past.answers.length === 0 || !past.input) {
      if (past.call && !past.isPast) this.#interrupted(past.call);
      return this.#follow(question, connection, call, asked, past.call !== undefined);
    }
    const { taskId } = past.input;
    const messageId = `${call.messageId}/${past.rounds}`;
    const answers = past.answers.map(({ id, decision, reason = decision === "expired" ? EXPIRED : undefined }) => ({
      id,
      decision: decision === "allow" ? decision : ("deny" as const),
      ...(reason === undefined ? {} : { reason }),
    }));
    const told = textMessage(Role.ROLE_USER, `Answers for ${agent}`, { ...ids, messageId, taskId });
    const parts = [dataPart({ approvals: answers })];
    try {
      return await this.#follow(question, connection, call, { ...told, parts }, true);
    } catch (error) {
      // Too late, or sent before: the question, sent again, shows the state of the task.
      if (!(error instanceof RequestMalformedError || error instanceof UnsupportedOperationError)) throw error;
      return this.#follow(question, connection, call, asked, true);
    }
  }

  async #follow(
    { parent, toolUseId, ordinal, agent, message: text, signal }: Question,
    connection: Connection,
    { contextId, thread, spanId, at }: PeerCallStep,
    message: Message,
    repeated: boolean,
  ): Promise<PeerOutcome> {
    const { log, waitUntil } = this.#turn;
    const { tracer } = this.#turn.trace;
    const { messageId } = message;
    const { id: source } = configOf(this.#env);
    const about = { parent, source, target: agent, contextId, messageId, message: text };
    const span = new AskingSpan(tracer, about, repeated ? undefined : { spanId, startTime: at });
    try {
      // A question that the peer has already passes an open circuit: the peer may be away for a moment only.
      const breaker = breakerOf(`peer:${agent}`);
      const pass = repeated ? undefined : breaker.enter((change) => span.circuit(change));
      const request: PeerRequest = {
        ...connection,
        token: tokenFor(this.#env, agent, this.#turn.asker),
        // The peer's spans hang below the span that the log knows, whichever life it hears first.
        traceparent: repeated ? span.traceparentOf(spanId) : span.traceparent,
        message,
        signal,
        waitUntil,
        repeated,
        onBusy: () => pass?.success(),
        onTask: (taskId) => {
          pass?.success();
          span.opened(taskId);
          if (peerCall(this.#turn.log.steps, toolUseId, ordinal).task?.taskId !== taskId)
            log.append({ kind: "peer_task", toolUseId, agent, ...place(ordinal), thread, contextId, taskId });
        },
      };
      this.#sent.add(keyOf(toolUseId, ordinal));
      const outcome = await askPeer(request).catch((error: unknown) => {
        if (signal.aborted) pass?.abandon();
        else if (error instanceof PeerUnreachable) pass?.failure(error.message);
        else pass?.success();
        throw error;
      });
      pass?.success();
      if (outcome.is === "answer") span.answered(outcome.text);
      else span.asksBack();
      return outcome;
    } catch (error) {
      span.fail(error, signal);
      throw error;
    }
  }

  /** Ends the span of an earlier life's question. */
  #interrupted({ agent: target, contextId, messageId, message, spanId, at }: PeerCallStep): void {
    const { trace, earlierTurn: parent } = this.#turn;
    if (!parent) return;
    const about = { parent, source: configOf(this.#env).id, target, contextId, messageId, message };
    new AskingSpan(trace.tracer, about, { spanId, startTime: at }).interrupted();
  }

  /**
   * The peer asks back: whoever asked this agent gets the question. Nothing is awaited between the log and the error, because the call's
   * time might be up meanwhile.
   */
  #waits({ toolUseId, ordinal, agent }: Question, { taskId, text, data }: AsksBack, rounds: number): Error {
    const { trace, log, asker, sessionSteps, waitUntil } = this.#turn;
    const asked = data.flatMap((part) => Asked.safeParse(part).data?.approvals ?? []);
    if (asked.length === 0 || asked.length > MAX_APPROVALS || rounds >= MAX_ROUNDS) {
      waitUntil(cancelAtPeer(this.#env, { agent, taskId }, asker, sessionSteps));
      return new Error(`it asks for input that cannot be given: ${text.slice(0, MAX_SHOWN)}`);
    }
    const askedAt = Date.now();
    // The peer says when they expire, within this agent's own limit.
    const [earliest, latest] = [askedAt + MIN_WAIT_MS, askedAt + configOf(this.#env).approvals.expiresMs];
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
    this.#sent.delete(keyOf(toolUseId, ordinal));
    withdrawQuestions(
      log,
      trace,
      toolUseId,
      approvals.map(({ id }) => id),
    );
    log.append({ kind: "peer_input", toolUseId, agent, ...place(ordinal), taskId, approvals, askedAt, spanIds });
    // Notification hooks run only where a client is asked next; an agent in between has nobody to notify.
    return new InputRequired(approvals, asker.chain.length === 0 ? fresh : []);
  }

  /** Logs the question before the peer gets it: after a crash it goes to the same thread under the same message id. */
  async #begin(question: Question): Promise<PeerCallStep> {
    const { toolUseId, ordinal, agent, message, thread, idempotencyKey, input, signal } = question;
    const { id } = configOf(this.#env);
    this.#threads ??= new PeerThreads({ id, contextId: this.#turn.contextId }, this.#turn.log.steps);
    const { ordinal: number, contextId } = this.#threads.take(agent, thread);
    const about = { agent_id: contextId, agent_type: agent };
    const said = await this.#turn.hook({ hook_event_name: "SubagentStart", ...about }, signal);
    if (said.stop !== undefined) throw new TurnStopped(said.stop);
    if (said.block !== undefined) throw new Error(said.block);
    signal.throwIfAborted();
    const { additionalContext } = said;
    const step = {
      kind: "peer_call",
      toolUseId,
      agent,
      ...place(ordinal),
      ...(input === undefined ? {} : { input: { ...input } }),
      thread: number,
      contextId,
      messageId: ordinal === 1 ? idempotencyKey : `${idempotencyKey}.${ordinal}`,
      message: additionalContext === undefined ? message : `${message}\n\n${additionalContext}`,
      spanId: randomContext().spanId,
      at: Date.now(),
    } as const;
    withdrawQuestions(this.#turn.log, this.#turn.trace, toolUseId);
    this.#turn.log.append(step);
    return step;
  }

  /** The answer, with the hooks' words for the model. */
  async #afterAnswer({ agent, contextId, thread }: PeerCallStep, answer: string, signal: AbortSignal) {
    const about = { agent_id: contextId, agent_type: agent, stop_hook_active: false, last_assistant_message: answer };
    const said = await this.#turn.hook({ hook_event_name: "SubagentStop", ...about }, signal);
    const text = [answer, said.block, said.additionalContext].filter((part) => part !== undefined).join("\n\n");
    return { text, thread, ...(said.stop === undefined ? {} : { stop: said.stop }) };
  }
}

function keyOf(toolUseId: string, ordinal = 1): string {
  return `${ordinal} ${toolUseId}`;
}

/** Steps leave out the place of a call's first question. */
function place(ordinal: number): { ordinal?: number } {
  return ordinal === 1 ? {} : { ordinal };
}

/** Whether a call that runs again asks what it asked before; a hook may have added words to that. */
function isSame(past: PeerCallStep, { agent, message }: Question): boolean {
  return past.agent === agent && (past.message === message || past.message.startsWith(`${message}\n\n`));
}
