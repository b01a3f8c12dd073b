// Asks the control plane what a person's key allows.
import { Account, hashOfKey, jobOfKey } from "../../control-plane/keys.ts";
import { Problem } from "../../http/problem.ts";
import { configOf, type AgentEnv } from "../env.ts";
import { KnownKeys } from "./known-keys.ts";

const LIMIT_MS = 1_000;

/** What of an agent's bindings serves to ask about keys. */
export type KeysEnv = Pick<AgentEnv, "AGENT" | "CONTROL_PLANE" | "TROUPE_TOKEN">;

/** What an isolate knows. */
const known = new WeakMap<KeysEnv, KnownKeys>();

/** What a key allows at this agent. `refused`: it does not count here. `away`: the control plane gives no answer. */
export async function accountOf(env: KeysEnv, key: string): Promise<Account | "refused" | "away"> {
  if (jobOfKey(key) !== configOf(env).job) return "refused";
  const keys = known.get(env) ?? new KnownKeys(async (hash) => ask(env, hash));
  known.set(env, keys);
  return keys.find(hashOfKey(key));
}

async function ask(env: KeysEnv, hash: string): Promise<Account | undefined> {
  const response = await env.CONTROL_PLANE.fetch(`https://control-plane/v1/keys/hashes/${hash}`, {
    headers: { authorization: `Bearer ${env.TROUPE_TOKEN}` },
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  if (response.ok) return Account.parse(await response.json());
  const { type } = Problem.pick({ type: true }).parse(await response.json());
  if (type === "/problems/unknown-key") return undefined;
  throw new Error(`The control plane answered ${response.status}: ${type}`);
}
