// The bindings of an agent Worker (jobs/plan.ts makes them), and what is derived from them once per isolate.
import * as z from "zod";
import { messagesApi } from "../models/messages-api.ts";
import type { Model } from "../models/model.ts";
import { PROVIDER } from "../tracing/names.ts";
import { breakerOf } from "./breakers.ts";
import { AgentConfig } from "./config.ts";
import type { BeaconObject } from "./beacon.ts";
import type { SessionIndexObject } from "./session-index.ts";
import type { SessionObject } from "./session.ts";

export interface AgentEnv {
  /** AgentConfig, as JSON. */
  readonly AGENT: unknown;
  /** The job's key: signs peer tokens and task ids. */
  readonly TROUPE_KEY: string;
  /** Bearer token of the job at the control plane. */
  readonly TROUPE_TOKEN: string;
  readonly CONTROL_PLANE: Fetcher;
  /** Where model calls go; the Worker's own global fetch when not bound. */
  readonly MODEL?: Fetcher;
  /** Reaches agents that the registry names, public or private. */
  readonly NETWORK?: Fetcher;
  readonly ANTHROPIC_API_KEY?: string;
  /** What the supervisor tells of this machine; absent where there is none. */
  readonly MACHINE?: Pick<Fetcher, "fetch">;
  readonly SESSION: DurableObjectNamespace<SessionObject>;
  readonly SESSION_INDEX: DurableObjectNamespace<SessionIndexObject>;
  readonly BEACON: DurableObjectNamespace<BeaconObject>;
}

const configs = new WeakMap<AgentEnv, AgentConfig>();

/** The deployment's word on this agent. Throws ZodError when the deployment is broken. */
export function configOf(env: AgentEnv): AgentConfig {
  let config = configs.get(env);
  if (!config) {
    config = AgentConfig.parse(env.AGENT);
    configs.set(env, config);
  }
  return config;
}

const models = new WeakMap<AgentEnv, Model>();

/** The model that the deployment chose. */
export function modelOf(env: AgentEnv): Model {
  const model = models.get(env) ?? makeModel(env);
  models.set(env, model);
  return model;
}

function makeModel(env: AgentEnv): Model {
  const { model } = configOf(env);
  return messagesApi({
    baseUrl: model.baseUrl,
    apiKey: env.ANTHROPIC_API_KEY ?? "offline",
    model: model.name,
    provider: PROVIDER[model.provider],
    price: model.price,
    maxTokens: model.maxTokens,
    contextTokens: model.contextTokens,
    fetch: fetcherOf(env.MODEL),
    gate: breakerOf(`model:${model.name}`),
    ...(model.provider === "offline" && model.offline
      ? { headers: { "x-offline-settings": JSON.stringify(model.offline) } }
      : {}),
  });
}

/** `fetch` over a binding; the global one where nothing is bound. */
export function fetcherOf(binding: Fetcher | undefined): typeof fetch {
  return binding ? (input, init) => binding.fetch(input, init) : (input, init) => fetch(input, init);
}

/** The Durable Object of a session: one per caller and session. Its name is scoped by principal, never by a key. */
export function sessionStub(env: AgentEnv, principal: string, session: string): DurableObjectStub<SessionObject> {
  return env.SESSION.getByName(JSON.stringify([principal, session]));
}

/** The principal in the name of a session's object. */
export function principalOf(name: string | undefined): string {
  return z.tuple([z.string(), z.string()]).parse(JSON.parse(name ?? "null"))[0];
}

/** The single SessionIndex of an agent. */
export function sessionIndexStub(env: AgentEnv): DurableObjectStub<SessionIndexObject> {
  return env.SESSION_INDEX.getByName("sessions");
}

/** The single Beacon of an agent. */
export function beaconStub(env: AgentEnv): DurableObjectStub<BeaconObject> {
  return env.BEACON.getByName("beacon");
}
