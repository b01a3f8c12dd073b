// The agent's side of the registry: register, heartbeat, search, resolve. URLs stay here and in the peer client; no model sees them.
import * as z from "zod";
import type { AgentCard } from "@a2a-js/sdk";
import { Agent, FoundAgentList } from "../../control-plane/registry.ts";
import type { FoundAgent } from "../../loop/tools/peers.ts";
import { configOf, type AgentEnv } from "../env.ts";
import { isolateId } from "./tracing.ts";

const LIMIT_MS = 5_000;
/** A turn waits for it, on a machine that may be busy. */
const SEARCH_LIMIT_MS = 30_000;

/** Only the fields that are read here: a registry of another version may have others. */
const RegisteredAgent = Agent.pick({ id: true, description: true, url: true, state: true }).extend({
  skills: z.array(Agent.shape.skills.element.pick({ name: true })),
});
const Agents = FoundAgentList.extend({ agents: z.array(RegisteredAgent) });

/** The registry refused. The message holds its answer. */
class RegistryError extends Error {
  override readonly name = "RegistryError";
}

/** `traceparent` is that of the deployment that started the agent, if there is one. */
export async function register(env: AgentEnv, card: AgentCard, traceparent: string | null): Promise<void> {
  const { id, url, heartbeat } = configOf(env);
  const { name, description, version } = card;
  const skills = card.skills.map(({ id, name, description, tags, examples }) => ({
    id,
    name,
    description,
    tags,
    examples,
  }));
  const body = {
    id,
    name,
    description,
    version,
    url,
    skills,
    intervalMs: heartbeat.intervalMs,
    // Without a process of its own an agent has several isolates at once, and a new one ends no other.
    ...(env.SESSION_FILES === undefined ? {} : { instance: isolateId(env) }),
  };
  const headers: Record<string, string> = traceparent === null ? {} : { traceparent };
  const response = await call(env, "POST", "/agents/register", { body, headers });
  if (!response.ok) throw await refused("register", response);
  await response.body?.cancel();
}

/** Renews the lease. `unknown`: the registry has forgotten this agent, which must register again. */
export async function heartbeat(env: AgentEnv): Promise<"renewed" | "unknown"> {
  const response = await call(env, "POST", `/agents/${encodeURIComponent(configOf(env).id)}/heartbeat`);
  if (!response.ok && response.status !== 404) throw await refused("heartbeat", response);
  await response.body?.cancel();
  return response.ok ? "renewed" : "unknown";
}

/** Agents of the job that match, alive ones first, without this one. */
export async function searchAgents(env: AgentEnv, query: string, signal: AbortSignal): Promise<FoundAgent[]> {
  const path = `/agents/search?${new URLSearchParams({ q: query }).toString()}`;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(SEARCH_LIMIT_MS)]);
  const response = await call(env, "GET", path, { signal: limit });
  if (!response.ok) throw await refused("search", response);
  const { agents } = Agents.parse(await response.json());
  return agents
    .filter(({ id }) => id !== configOf(env).id)
    .map(({ id, description, state, skills }) => ({ id, description, state, skills: skills.map(({ name }) => name) }));
}

/** The agent's URL. Throws RegistryError when the agent is unknown or dead. */
export async function resolveAgent(env: AgentEnv, id: string): Promise<string> {
  const response = await call(env, "GET", `/agents/${encodeURIComponent(id)}`);
  if (!response.ok) throw await refused("look-up", response);
  const agent = RegisteredAgent.parse(await response.json());
  if (agent.state === "dead") throw new RegistryError(`The agent ${id} is dead: its heartbeats have stopped.`);
  return agent.url;
}

interface Call {
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

async function call(
  env: AgentEnv,
  method: string,
  path: string,
  { body, headers: more = {}, signal = AbortSignal.timeout(LIMIT_MS) }: Call = {},
): Promise<Response> {
  const headers = {
    ...more,
    Authorization: `Bearer ${env.TROUPE_TOKEN}`,
    ...(body ? { "Content-Type": "application/json" } : {}),
  };
  return env.CONTROL_PLANE.fetch(`https://control-plane${path}`, {
    method,
    headers,
    signal,
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
}

async function refused(what: string, response: Response): Promise<RegistryError> {
  return new RegistryError(
    `The registry refused the ${what} with status ${response.status}: ${(await response.text()).slice(0, 500)}`,
  );
}
