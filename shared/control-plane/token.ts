// Bearer tokens for the control plane, derived from its secret: of a whole job, which the command line has, and of one agent of it.
import { mac, sameMac } from "../a2a/token.ts";

/** Whose token it is. Without an agent: the deployment's. */
export interface Bearer {
  readonly job: string;
  readonly agent: string | undefined;
}

const JOB = /^[a-z0-9-]{1,63}$/;
const AGENT = /^[a-z][a-z0-9_]{0,62}$/;

/** `<job>.<MAC>` or `<job>.<agent>.<MAC>`. */
export function tokenFor(secret: string, job: string, agent?: string): string {
  return agent === undefined
    ? `${job}.${mac(secret, `job:${job}`)}`
    : `${job}.${agent}.${mac(secret, `agent:${job}:${agent}`)}`;
}

/** Undefined for a token that was not made with this secret. */
export function readToken(secret: string, token: string): Bearer | undefined {
  const [job = "", ...rest] = token.split(".");
  const agent = rest.length === 2 ? rest[0] : undefined;
  if (rest.length < 1 || rest.length > 2 || !JOB.test(job)) return undefined;
  if (agent !== undefined && !AGENT.test(agent)) return undefined;
  return sameMac(token, tokenFor(secret, job, agent)) ? { job, agent } : undefined;
}
