// Whom an agent may ask, and how they are reached: over its own bindings in a static topology, through the registry in a dynamic one.
import { AgentCard } from "@a2a-js/sdk";
import { askPeer, type PeerAnswer } from "../a2a/peer-client.ts";
import { peerContextId } from "../a2a/task-id.ts";
import { signToken } from "../a2a/token.ts";
import type { Step } from "../loop/step.ts";
import { nearest } from "../text/nearest.ts";
import type { FoundAgent, PeerProfile, Peers, Question } from "../tools/peers.ts";
import { configOf, fetcherOf, type AgentEnv } from "./environment.ts";
import { resolveAgent, searchAgents } from "./registry-client.ts";

/** Agents that a query may go through before it is refused: a → b → a → b … ends here. */
export const MAX_CHAIN = 8;
const CARD_LIMIT_MS = 2_000;

/** What asking needs of the turn that asks. */
export interface AskingTurn {
  readonly contextId: string;
  readonly principal: string;
  /** The agents the query came through, this one not included. */
  readonly chain: readonly string[];
  readonly traceparent: string;
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
  readonly neighbours: readonly PeerProfile[] | undefined;
  readonly #env: AgentEnv;
  readonly #turn: AskingTurn;
  readonly #threads: Map<number, PeerThread>;

  private constructor(env: AgentEnv, turn: AskingTurn, neighbours: readonly PeerProfile[] | undefined) {
    this.#env = env;
    this.#turn = turn;
    this.neighbours = neighbours;
    this.#threads = openThreads(turn.threadSteps());
  }

  static async create(env: AgentEnv, turn: AskingTurn): Promise<AgentPeers> {
    const { topology, peers } = configOf(env);
    if (topology === "dynamic") return new AgentPeers(env, turn, undefined);
    return new AgentPeers(env, turn, await Promise.all(peers.map((peer) => profile(env, peer))));
  }

  async find(query: string): Promise<readonly FoundAgent[]> {
    const found = await searchAgents(this.#env, query);
    if (this.neighbours) return found.filter(({ id }) => this.neighbours?.some((peer) => peer.id === id));
    if (found.length > 0) this.#turn.append({ kind: "found", agents: found.map(({ id }) => id) });
    return found;
  }

  async ask({ toolUseId, agent, message, thread, signal }: Question): Promise<{ text: string; thread: number }> {
    const { id, budget } = configOf(this.#env);
    const { principal, traceparent, append, onUsage, waitUntil } = this.#turn;
    const chain = [...this.#turn.chain, id];
    if (chain.length >= MAX_CHAIN) {
      throw new Error(`This question has already gone through ${chain.length} agents (${chain.join(" → ")}), which is the limit: answer with what you have.`);
    }
    const connection = await this.#connect(agent);
    const { ordinal, contextId } = this.#open(agent, thread);
    const token = signToken(this.#env.TROUPE_KEY, { from: id, to: agent, principal, chain }, budget.maxWallMs + 60_000);
    try {
      const answer = await askPeer({
        ...connection, token, traceparent, contextId, text: message, signal, waitUntil,
        onTask: (taskId) => append({ kind: "peer_task", toolUseId, agent, thread: ordinal, contextId, taskId }),
      });
      if (answer.usage) onUsage(answer.usage);
      return { text: answer.text, thread: ordinal };
    } catch (error) {
      signal.throwIfAborted();
      throw new Error(`The agent ${agent} did not answer: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }

  async #connect(agent: string): Promise<{ fetch: typeof fetch; origin: string }> {
    if (this.neighbours) {
      const binding = configOf(this.#env).peers.find(({ id }) => id === agent)?.binding;
      if (!binding) throw notAskable(agent, this.neighbours.map(({ id }) => id));
      return { fetch: bound(this.#env, binding), origin: `https://${agent.replaceAll("_", "-")}` };
    }
    const found = this.#turn.sessionSteps().flatMap((step) => (step.kind === "found" ? step.agents : []));
    if (!found.includes(agent)) throw notAskable(agent, new Set(found));
    return { fetch: fetcherOf(this.#env.NETWORK), origin: await resolveAgent(this.#env, agent) };
  }

  /** Goes on with an open conversation, or opens the next one. Ordinals are given out at once, so parallel calls never share one. */
  #open(agent: string, thread: number | undefined): PeerThread {
    if (thread !== undefined) {
      const open = this.#threads.get(thread);
      if (open?.agent === agent) return open;
      const mine = [...this.#threads.values()].filter((other) => other.agent === agent).map(({ ordinal }) => ordinal);
      throw new Error(
        `There is no conversation ${thread} with ${agent}: ${mine.length > 0 ? `open are ${mine.join(", ")}` : "none is open yet"}; leave thread out to begin a new one.`,
      );
    }
    const ordinal = this.#threads.size + 1;
    const opened = { ordinal, agent, contextId: peerContextId(this.#turn.contextId, configOf(this.#env).id, ordinal) };
    this.#threads.set(ordinal, opened);
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
    if (step.kind === "peer_task") threads.set(step.thread, { ordinal: step.thread, agent: step.agent, contextId: step.contextId });
  }
  return threads;
}

function notAskable(agent: string, names: Iterable<string>): Error {
  const known = [...names];
  const near = nearest(agent, known);
  const hint = near.length > 0 ? `Nearest: ${near.join(", ")}.` : `You can ask: ${known.join(", ") || "nobody yet; use find_agents first"}.`;
  return new Error(`There is no agent named ${agent} that you can ask. ${hint}`);
}

const profiles = new WeakMap<AgentEnv, Map<string, PeerProfile>>();

/** A neighbour as its own card describes it; its name alone while it cannot be reached. */
async function profile(env: AgentEnv, { id, binding }: { id: string; binding: string }): Promise<PeerProfile> {
  const known = profiles.get(env) ?? new Map<string, PeerProfile>();
  profiles.set(env, known);
  const cached = known.get(id);
  if (cached) return cached;
  try {
    const response = await bound(env, binding)(`https://${id.replaceAll("_", "-")}/.well-known/agent-card.json`, {
      signal: AbortSignal.timeout(CARD_LIMIT_MS),
    });
    const card = AgentCard.fromJSON(await response.json());
    const fresh = { id, description: card.description, skills: card.skills.map(({ name }) => name) };
    known.set(id, fresh);
    return fresh;
  } catch (error) {
    console.warn(`The card of ${id} could not be read: ${error instanceof Error ? error.message : String(error)}`);
    return { id, description: "(cannot be reached now)", skills: [] };
  }
}

function bound(env: AgentEnv, name: string): typeof fetch {
  const binding: unknown = Reflect.get(env, name);
  if (!isFetcher(binding)) throw new Error(`The binding ${name} is missing: deploy the job again.`);
  return fetcherOf(binding);
}

function isFetcher(value: unknown): value is Fetcher {
  return typeof value === "object" && value !== null && "fetch" in value && typeof value.fetch === "function";
}
