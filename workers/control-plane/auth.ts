// Authenticates requests: the bearer token names the job. A token is
// `<job>.<base64url(HMAC-SHA256(TROUPE_SECRET, "job:" + job))>`, so the control plane stores no tokens.
import type { MiddlewareHandler } from "hono";
import { bearer, mac, MIN_SECRET, sameMac } from "#shared/a2a/token.ts";
import type { Visitor } from "#shared/http/gate.ts";
import { problem, problemResponse, type Problem } from "#shared/http/problem.ts";
import type { Env } from "./env.ts";

export interface JobVariables {
  /** The job that the token names. */
  job: string;
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

/** Sets `job`, or answers 401 or 503. */
export const requireJob: MiddlewareHandler<{ Bindings: Env; Variables: JobVariables }> = async (c, next) => {
  const result = identifyJob(c.req.raw, c.env);
  if (typeof result !== "string") {
    return problemResponse(result, result.status === 401 ? { "www-authenticate": "Bearer" } : {});
  }
  c.set("job", result);
  return next();
};

/** Classifies the sender by the Authorization header. Agents and deployment tools hold tokens; both count as peers. */
export function visitorOf(request: Request, env: Env): Visitor {
  if (!request.headers.has("authorization")) return "anonymous";
  const job = identifyJob(request, env);
  return typeof job === "string" ? "peer" : job;
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
