// Authenticates requests: the bearer token names the job, and the agent that has it. Tokens are derived from TROUPE_SECRET, so the control
// plane stores none. A person's key names its job, too.
import type { Context, MiddlewareHandler } from "hono";
import { bearer, MIN_SECRET } from "#shared/a2a/token.ts";
import type { Visitor } from "#shared/http/gate.ts";
import { type Account, hashOfKey, isMadeWith, jobOfKey } from "#shared/control-plane/keys.ts";
import { type Bearer, readToken } from "#shared/control-plane/token.ts";
import { problem, problemResponse, type Problem } from "#shared/http/problem.ts";
import type { Env } from "./env.ts";

export interface JobEnv {
  Bindings: Env;
  Variables: {
    /** The job that the token names. */
    job: string;
    /** The agent that the token names: it speaks for itself alone. Undefined for the deployment, and for a key. */
    agent: string | undefined;
    /** Of the key that the request carries; undefined without one. */
    operator: Operator | undefined;
  };
}

interface Operator {
  readonly job: string;
  readonly account: Account;
}

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);
/** The job of requests from this machine in development, as under `wrangler dev`. */
const DEVELOPMENT: Bearer = { job: "local", agent: undefined };

/** Answers 503 to every request while TROUPE_SECRET is missing: a missing secret must never mean open access. */
export const requireSecret: MiddlewareHandler<{ Bindings: Env }> = async (c, next) => {
  const found = unconfigured(c.env);
  return found === undefined ? next() : problemResponse(found);
};

/** Sets `job`, or answers 401, 403 or 503. A key reads and deletes; all else is done by agents and deployments. */
export const requireJob: MiddlewareHandler<JobEnv> = async (c, next) => {
  const { operator } = c.var;
  if (operator === undefined) return requireToken(c, next);
  const { job, account } = operator;
  if (!account.scopes.includes("operate"))
    return forbidden(account, "not the scope operate, which the control plane asks for");
  if (c.req.method === "POST") return forbidden(account, "no scope for what only agents do");
  c.set("job", job);
  return next();
};

/** Sets `job`, or answers 401, 403 or 503. No key will do. */
export const requireToken: MiddlewareHandler<JobEnv> = async (c, next) => {
  const { operator } = c.var;
  if (operator !== undefined) return forbidden(operator.account, "no scope for this: the token of the job is needed");
  const result = identify(c.req.raw, c.env);
  if ("status" in result) {
    return problemResponse(result, result.status === 401 ? { "www-authenticate": "Bearer" } : {});
  }
  c.set("job", result.job);
  c.set("agent", result.agent);
  return next();
};

/** Why the sender may not speak for this agent; undefined where it may. Without an agent's name: for the whole job. */
export function refusedAs(c: Context<JobEnv>, agent: string | undefined): Response | undefined {
  const sender = c.var.agent;
  if (sender === undefined || sender === agent) return undefined;
  const whom = agent === undefined ? "the job" : `the agent ${JSON.stringify(agent.slice(0, 100))}`;
  return problemResponse(problem("forbidden", `The agent ${sender} may not speak for ${whom}.`));
}

/**
 * Classifies the sender by the Authorization header, and sets `operator` for a key. Agents and deployment tools hold tokens; both count as
 * peers.
 */
export function visitorOf(c: Context<JobEnv>): Visitor | Promise<Visitor> {
  const request = c.req.raw;
  if (!request.headers.has("authorization")) return "anonymous";
  const key = bearer(request.headers.get("authorization")) ?? "";
  const ofKey = jobOfKey(key);
  if (ofKey !== undefined) return operatorOf(c, ofKey, key);
  const found = identify(request, c.env);
  return "status" in found ? found : "peer";
}

async function operatorOf(c: Context<JobEnv>, job: string, key: string): Promise<Visitor> {
  const fault = unconfigured(c.env);
  if (fault) return fault;
  const isMade = c.env.TROUPE_SECRET !== undefined && isMadeWith(c.env.TROUPE_SECRET, key);
  const account = isMade && (await c.env.KEYS.getByName(job).check(hashOfKey(key)));
  if (!account) return problem("unauthorized", "The key does not count: it is unknown, expired or revoked.");
  c.set("operator", { job, account });
  return "known";
}

function forbidden({ name }: Account, why: string): Response {
  return problemResponse(problem("forbidden", `The key "${name}" has ${why}.`));
}

function unconfigured({ TROUPE_SECRET: secret, TROUPE_DEVELOPMENT: development }: Env): Problem | undefined {
  if (secret ? secret.length >= MIN_SECRET : development === "true") return undefined;
  const fault = secret ? `has ${secret.length} characters` : "is not set";
  return problem(
    "not-configured",
    `TROUPE_SECRET ${fault}, so nothing is served. Set it to at least ${MIN_SECRET} random characters: \`wrangler secret put TROUPE_SECRET\`; or set TROUPE_DEVELOPMENT=true to serve this machine without tokens.`,
  );
}

/** Whose token the request carries, or the problem to answer with. */
export function identify(request: Request, env: Env): Bearer | Problem {
  const { TROUPE_SECRET: secret } = env;
  const fault = unconfigured(env);
  if (fault) return fault;
  if (!secret) {
    if (LOOPBACK.has(new URL(request.url).hostname)) return DEVELOPMENT;
    return problem("not-configured", "TROUPE_DEVELOPMENT is set, so only requests to localhost are served.");
  }
  const token = bearer(request.headers.get("authorization"));
  if (!token) return problem("unauthorized", 'Send "authorization: Bearer <token of the job>".');
  const found = readToken(secret, token);
  if (found) return found;
  return problem(
    "unauthorized",
    "The token was not made by this control plane. Deploy the job again to get a new one.",
  );
}
