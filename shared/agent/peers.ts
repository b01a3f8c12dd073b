// Whom an agent may ask, and how they are reached: over its own bindings in a static topology, through the registry in a dynamic one.
import { reasonOf } from "../tracing/reason.ts";
import { askPeer, type PeerAnswer } from "../a2a/peer-client.ts";
import { peerContextId } from "../a2a/task-id.ts";
import { signToken } from "../a2a/token.ts";
import type { FoundAgent, Peers, Question } from "../loop/peers.ts";
import type { Step } from "../loop/step.ts";
import { suggest } from "../text/nearest.ts";
import type { Tracer } from "../tracing/tracer.ts";
import { AskingSpan } from "./asking-span.ts";
import { configOf, fetcherOf, type AgentEnv } from "./environment.ts";
import { neighbourFetch, neighbourOrigin } from "./neighbours.ts";
import { resolveAgent, searchAgents } from "./registry-client.ts";

/** Agents that a query may go through before it is refused: a → b → a → b … ends here. */
export const MAX_CHAIN = 8;

/** What asking needs of the turn that asks. */
export interface AskingTurn {
  readonly contextId: string;
  readonly principal: string;
  /** The agents the query came through, this one not included. */
  readonly chain: readonly string[];
  readonly tracer: Tracer;
  /** Writes a step of the asking task. */
  readonly append: (step: Step) => void;
  /** Steps of this thread, for the conversations it has opened. */
  readonly threadSteps: () => readonly Step[];
  /** Steps of the whole session, for the agents that were found in it. */
  readonly sessionSteps: () => readonly Step[];
  readonly onUsage: (usage: NonNullable<PeerAnswer["usage"]>) => void;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

export class AgentPeers implements Peers {
  readonly #env: AgentEnv;
  readonly #turn: AskingTurn;
  #open: Map<number, PeerThread> | undefined;

  constructor(env: AgentEnv, turn: AskingTurn) {
    this.#env = env;
    this.#turn = turn;
  }

  async find(query: string): Promise<readonly FoundAgent[]> {
    const found = await searchAgents(this.#env, query);
    const { topology, peers } = configOf(this.#env);
    if (topology === "static") return found.filter(({ id }) => peers.some((peer) => peer.id === id));
    if (found.length > 0) this.#turn.append({ kind: "found", agents: found.map(({ id }) => id) });
    return found;
  }

  async ask({
    toolUseId,
    agent,
    message,
    thread,
    signal,
    parent,
  }: Question): Promise<{ text: string; thread: number }> {
    const { id, budget } = configOf(this.#env);
    const { principal, tracer, append, onUsage, waitUntil } = this.#turn;
    const chain = [...this.#turn.chain, id];
    if (chain.length >= MAX_CHAIN) {
      throw new Error(
        `This question has already gone through ${chain.length} agents (${chain.join(" → ")}), which is the limit: answer with what you have.`,
      );
    }
    const connection = await this.#connect(agent);
    const { ordinal, contextId } = this.#thread(agent, thread);
    const token = signToken(this.#env.TROUPE_KEY, { from: id, to: agent, principal, chain }, budget.maxWallMs + 60_000);
    const messageId = crypto.randomUUID();
    const span = new AskingSpan(tracer, { parent, source: id, target: agent, contextId, messageId, message });
    try {
      const answer = await askPeer({
        ...connection,
        token,
        traceparent: span.traceparent,
        contextId,
        messageId,
        text: message,
        signal,
        waitUntil,
        onTask: (taskId) => {
          span.opened(taskId);
          append({ kind: "peer_task", toolUseId, agent, thread: ordinal, contextId, taskId });
        },
      });
      span.answered(answer.text);
      if (answer.usage) onUsage(answer.usage);
      return { text: answer.text, thread: ordinal };
    } catch (error) {
      span.fail(error, signal);
      signal.throwIfAborted();
      throw new Error(`The agent ${agent} did not answer: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }

  async #connect(agent: string): Promise<{ fetch: typeof fetch; origin: string }> {
    const { topology, peers } = configOf(this.#env);
    if (topology === "static") {
      const peer = peers.find(({ id }) => id === agent);
      if (!peer)
        throw notAskable(
          agent,
          peers.map(({ id }) => id),
        );
      return { fetch: neighbourFetch(this.#env, peer), origin: neighbourOrigin(peer) };
    }
    const found = this.#turn.sessionSteps().flatMap((step) => (step.kind === "found" ? step.agents : []));
    if (!found.includes(agent)) throw notAskable(agent, new Set(found));
    return { fetch: fetcherOf(this.#env.NETWORK), origin: await resolveAgent(this.#env, agent) };
  }

  /** Goes on with an open conversation, or opens the next one. Ordinals are given out at once, so parallel calls never share one. */
  #thread(agent: string, thread: number | undefined): PeerThread {
    const threads = (this.#open ??= openThreads(this.#turn.threadSteps()));
    if (thread !== undefined) {
      const open = threads.get(thread);
      if (open?.agent === agent) return open;
      const mine = [...threads.values()].filter((other) => other.agent === agent).map(({ ordinal }) => ordinal);
      throw new Error(
        `There is no conversation ${thread} with ${agent}: ${mine.length > 0 ? `open are ${mine.join(", ")}` : "none is open yet"}; leave thread out to begin a new one.`,
      );
    }
    // Not their number: one that failed before its task was opened has left a gap.
    const ordinal = Math.max(0, ...threads.keys()) + 1;
    const opened = { ordinal, agent, contextId: peerContextId(this.#turn.contextId, configOf(this.#env).id, ordinal) };
    threads.set(ordinal, opened);
    return opened;
  }
}

interface PeerThread {
  readonly ordinal: number;
  readonly agent: string;
  readonly contextId: string;
}

function openThreads(steps: readonly Step[]): Map<number, PeerThread> {
  const threads = new Map<number, PeerThread>();
  for (const step of steps) {
    if (step.kind === "peer_task")
      threads.set(step.thread, { ordinal: step.thread, agent: step.agent, contextId: step.contextId });
  }
  return threads;
}

function notAskable(agent: string, names: Iterable<string>): Error {
  const hint = suggest(agent, names) || "Use find_agents first.";
  return new Error(`There is no agent named ${agent} that you can ask. ${hint}`);
}
