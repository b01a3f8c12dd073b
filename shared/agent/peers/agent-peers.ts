// Asks other agents for a turn. Each question has a thread of its own, is logged before it is sent, and resumes where an earlier life of
// the turn left it. When a peer asks back, whoever asks this agent gets the question.
import { remoteContextId } from "../../a2a/task-id.ts";
import { PeerTaskError } from "../../a2a/peer-outcome.ts";
import { peerCall, type PeerCallStep } from "../../loop/log/peer-question.ts";
import { InputRequired, type FoundAgent, type Peers, type Question } from "../../loop/tools/peers.ts";
import { TurnStopped } from "../../loop/log/stopped.ts";
import { withdrawQuestions } from "../../loop/tool-calls/close-calls.ts";
import { reasonOf } from "../../text/reason.ts";
import { randomContext } from "../../tracing/trace-context.ts";
import { configOf, type AgentEnv } from "../env.ts";
import { asksBack, place, sendQuestion, type PeersTurn } from "./peer-question.ts";
import { cancelAtPeer, checkPeer, connect } from "./connection.ts";
import { remotesFitting } from "./remote-peer.ts";
import { PeerThreads } from "./threads.ts";
import { searchAgents } from "../control-plane/registry-client.ts";

/** Agents that a query may go through before it is refused, so that a → b → a → b … ends. */
export const MAX_CHAIN = 8;

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
    const found = await searchAgents(this.#env, query, signal);
    // The task may have ended meanwhile: then nothing is written into its log.
    signal.throwIfAborted();
    const { topology, peers } = configOf(this.#env);
    if (topology === "static") return found.filter(({ id }) => peers.some((peer) => peer.id === id));
    found.push(...remotesFitting(peers, query));
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
    await checkPeer(this.#env, agent, signal);
    const call = past.call ?? (await this.#begin(question));
    try {
      const key = keyOf(toolUseId, ordinal);
      const onSent = () => void this.#sent.add(key);
      const asked = { env: this.#env, turn: this.#turn, question, connection, call, past, onSent };
      const outcome = await this.#turn.whileAway(() => sendQuestion(asked), signal);
      const { task } = peerCall(this.#turn.log.steps, toolUseId, ordinal);
      if (connection.remote && task) this.#threads?.note(task);
      if (outcome.is === "answer") {
        if (outcome.usage) this.#turn.onUsage(toolUseId, outcome.usage);
        return await this.#afterAnswer(call, outcome.text, signal);
      }
      signal.throwIfAborted();
      const waits = asksBack(asked, outcome);
      // From now on nobody follows the peer's task.
      if (waits instanceof InputRequired) this.#sent.delete(key);
      throw waits;
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
    if (task && task.taskId !== "") waitUntil(cancelAtPeer(this.#env, task, asker, sessionSteps));
  }

  /** Logs the question before the peer gets it: after a crash it goes to the same thread under the same message id. */
  async #begin(question: Question): Promise<PeerCallStep> {
    const { toolUseId, ordinal, agent, message, thread, idempotencyKey, input, signal } = question;
    const { id, peers } = configOf(this.#env);
    const isRemote = peers.some((peer) => peer.id === agent && peer.remote !== undefined);
    const hidden = (own: string) => remoteContextId(this.#env.TROUPE_KEY, this.#turn.asker.principal, own);
    this.#threads ??= new PeerThreads(
      { id, contextId: this.#turn.contextId },
      this.#turn.log.steps,
      this.#turn.earlierThreads(),
    );
    const { ordinal: number, contextId, taskId } = this.#threads.take(agent, thread, isRemote ? hidden : undefined);
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
      ...(taskId === undefined ? {} : { taskId }),
      messageId: ordinal === 1 ? idempotencyKey : `${idempotencyKey}.${ordinal}`,
      message: additionalContext === undefined ? message : `${message}\n\n${additionalContext}`,
      spanId: randomContext().spanId,
      at: Date.now(),
    } as const;
    withdrawQuestions(this.#turn.log, this.#turn.trace, toolUseId);
    this.#turn.log.append(step);
    this.#threads.note(step);
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

/** Whether a call that runs again asks what it asked before; a hook may have added words to that. */
function isSame(past: PeerCallStep, { agent, message }: Question): boolean {
  return past.agent === agent && (past.message === message || past.message.startsWith(`${message}\n\n`));
}
