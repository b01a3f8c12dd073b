// The bindings of an agent Worker (jobs/plan/bindings.ts makes them), and what is derived from them.
import { AgentConfig, configIn } from "./config.ts";
import type { BeaconRpc, SessionIndexRpc, SessionRpc } from "./rpc.ts";

export interface AgentEnv {
  /** AgentConfig, as JSON. Absent where one variable is too small for it: then its text is in parts. */
  readonly AGENT?: unknown;
  /** The job's key: signs ids of tasks, contexts and approvals. */
  readonly TROUPE_KEY: string;
  /** The agent's own private key (PKCS #8, base64url): signs its requests to other agents. */
  readonly TROUPE_SIGNING_KEY: string;
  /** The agent's bearer token at the control plane. */
  readonly TROUPE_TOKEN: string;
  readonly CONTROL_PLANE: Pick<Fetcher, "fetch">;
  /** Where model calls go; the Worker's own global fetch when not bound. */
  readonly MODEL?: Fetcher;
  /** Reaches agents that the registry names, public or private. */
  readonly NETWORK?: Fetcher;
  readonly ANTHROPIC_API_KEY?: string;
  /** The supervisor's figures of this machine; absent where there is none. */
  readonly MACHINE?: Pick<Fetcher, "fetch">;
  readonly SESSION: DurableObjectNamespace<SessionRpc>;
  /** The folder of the sessions' files; absent where no process serves its own files, as on Cloudflare. */
  readonly SESSION_FILES?: Pick<Fetcher, "fetch">;
  /** The agent's own listener; absent where SESSION_FILES is. */
  readonly SELF?: Pick<Fetcher, "fetch">;
  readonly SESSION_INDEX: DurableObjectNamespace<SessionIndexRpc>;
  readonly BEACON: DurableObjectNamespace<BeaconRpc>;
}

const configs = new WeakMap<Pick<AgentEnv, "AGENT">, AgentConfig>();

/** The agent's config, parsed once an isolate. Throws ZodError when the deployment is broken. */
export function configOf(env: Pick<AgentEnv, "AGENT">): AgentConfig {
  let config = configs.get(env);
  if (!config) {
    config = AgentConfig.parse(configIn(env));
    configs.set(env, config);
  }
  return config;
}

/** `fetch` over a binding; the global one where nothing is bound. */
export function fetcherOf(binding: Fetcher | undefined): typeof fetch {
  return binding ? (input, init) => binding.fetch(input, init) : (input, init) => fetch(input, init);
}

/** The Durable Object of a session: one per caller and session. Its name is scoped by principal, never by a key. */
export function sessionStub(env: AgentEnv, principal: string, session: string): DurableObjectStub<SessionRpc> {
  return env.SESSION.getByName(sessionName(principal, session));
}

export function sessionName(principal: string, session: string): string {
  return JSON.stringify([principal, session]);
}

/** The single SessionIndex of an agent. */
export function sessionIndexStub(env: AgentEnv): DurableObjectStub<SessionIndexRpc> {
  return env.SESSION_INDEX.getByName("sessions");
}

/** The single Beacon of an agent. */
export function beaconStub(env: AgentEnv): DurableObjectStub<BeaconRpc> {
  return env.BEACON.getByName("beacon");
}
