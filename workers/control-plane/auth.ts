// Authenticates requests: the bearer token names the job. A token is
// `<job>.<base64url(HMAC-SHA256(TROUPE_SECRET, "job:" + job))>`, so the control plane stores no tokens. A person's key does so, too.
import type { Context, MiddlewareHandler } from "hono";
import { bearer, mac, MIN_SECRET, sameMac } from "#shared/a2a/token.ts";
import type { Visitor } from "#shared/http/gate.ts";
import { type Account, hashOfKey, isMadeWith, jobOfKey } from "#shared/control-plane/keys.ts";
import { problem, problemResponse, type Problem } from "#shared/http/problem.ts";
import type { Env } from "./env.ts";

export interface JobEnv {
  Bindings: Env;
  Variables: {
    /** The job that the token names. */
    job: string;
    /** Of the key that the request carries; undefined without one. */
    operator: Operator | undefined;
  };
}

interface Operator {
  readonly job: string;
  readonly account: Account;
}

const JOB = /^[a-z0-9-]{1,63}$/;
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);
/** The job of requests from this machine in development, as under `wrangler dev`. */
const DEVELOPMENT_JOB = "local";

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
  const result = identifyJob(c.req.raw, c.env);
  if (typeof result !== "string") {
    return problemResponse(result, result.status === 401 ? { "www-authenticate": "Bearer" } : {});
  }
  c.set("job", result);
  return next();
};

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
  const job = identifyJob(request, c.env);
  return typeof job === "string" ? "peer" : job;
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

/** The name of the request's job, or the problem to answer with. */
export function identifyJob(request: Request, env: Env): string | Problem {
  const { TROUPE_SECRET: secret } = env;
  const fault = unconfigured(env);
  if (fault) return fault;
  if (!secret) {
    if (LOOPBACK.has(new URL(request.url).hostname)) return DEVELOPMENT_JOB;
    return problem("not-configured", "TROUPE_DEVELOPMENT is set, so only requests to localhost are served.");
  }
  const token = bearer(request.headers.get("authorization"));
  if (!token) return problem("unauthorized", 'Send "authorization: Bearer <token of the job>".');
  const [job = "", signature = "", ...rest] = token.split(".");
  if (JOB.test(job) && rest.length === 0 && sameMac(signature, mac(secret, `job:${job}`))) return job;
  return problem(
    "unauthorized",
    "The token was not made by this control plane. Deploy the job again to get a new one.",
  );
}
