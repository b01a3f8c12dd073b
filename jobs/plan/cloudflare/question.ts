// What one question sets off in a job: turns of its agents, and calls of Workers over service bindings. A turn lives in a session's
// Durable Object, and begins in the request that brought the message: the question to the next agent goes from there over a binding, and
// its answer streams back. So all turns of a question hang below the one request from outside, and no agent begins a new one. Only the
// alarm of a session does, which goes on with a turn whose object ended. Whether a request to an object begins a new count, Cloudflare's
// pages do not say: all calls count here.
import type { Edge } from "../../schema/topology.ts";
import { findCycle } from "../../schema/topology.ts";
import type { Plan } from "../plan-shape.ts";
import { measuredFor } from "./measured.ts";

export interface Question {
  /** Of all agents. */
  readonly turns: number;
  /** Invocations of Workers: those of the agents, and calls of the control plane and of the offline model. */
  readonly invocations: number;
  /** The agent with the most agents to ask, and their number. */
  readonly widest: { readonly agent: string; readonly asks: number };
}

/**
 * A question for which every agent asks each of its peers once. Where agents may ask in a circle, or find each other by themselves, each
 * agent has one turn.
 */
export function questionOf({ agents, edges, entryPoint, provider }: Plan): Question {
  const own = new Set(agents.map(({ id }) => id));
  const inside = edges.filter(({ to }) => own.has(to));
  const isCircular = inside.length === 0 || findCycle(inside) !== undefined;
  const turns = isCircular ? agents.length : turnsBelow(entryPoint, inside);
  const { controlPlaneCalls, modelCalls } = measuredFor(provider).turn;
  const calls = controlPlaneCalls + (provider === "anthropic" ? 0 : modelCalls);
  return { turns, invocations: turns + Math.round(turns * calls), widest: widestOf(inside, entryPoint, agents.length) };
}

/** Of the agent and of all that it asks, however often they are asked. */
function turnsBelow(entryPoint: string, edges: readonly Edge[]): number {
  const peers = Map.groupBy(edges, ({ from }) => from);
  const known = new Map<string, number>();
  const count = (agent: string): number => {
    const found = known.get(agent);
    if (found !== undefined) return found;
    const turns = (peers.get(agent) ?? []).reduce((sum, { to }) => sum + count(to), 1);
    known.set(agent, turns);
    return turns;
  };
  return count(entryPoint);
}

function widestOf(edges: readonly Edge[], entryPoint: string, agents: number): Question["widest"] {
  const peers = Map.groupBy(edges, ({ from }) => from);
  if (peers.size === 0) return { agent: entryPoint, asks: agents - 1 };
  const [agent, asked] = [...peers].reduce((most, next) => (next[1].length > most[1].length ? next : most));
  return { agent, asks: asked.length };
}
