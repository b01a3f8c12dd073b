// Who is asking: turns the bearer token of a request into the job that it speaks for.
// A token is `<job>.<base64url(HMAC-SHA256(TROUPE_SECRET, "job:" + job))>`, so the control plane keeps no list of tokens.
import type { MiddlewareHandler } from "hono";
import { bearer, mac, sameMac } from "#shared/a2a/token.ts";
import type { Visitor } from "#shared/http/gate.ts";
import { problem, problemResponse, type Problem } from "#shared/http/problem.ts";
import type { Env } from "./env.ts";

export interface JobVariables {
  /** The job that the request speaks for. */
  job: string;
}

const JOB = /^[a-z0-9-]{1,63}$/;
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);
/** The job of requests from this machine while no secret is set, as under `wrangler dev`. */
const DEVELOPMENT_JOB = "local";

/** Lets a request through with `job` set, or answers 401 or 503. */
export const requireJob: MiddlewareHandler<{ Bindings: Env; Variables: JobVariables }> = async (c, next) => {
  const result = identifyJob(c.req.raw, c.env.TROUPE_SECRET);
  if (typeof result !== "string") {
    return problemResponse(result, result.status === 401 ? { "www-authenticate": "Bearer" } : {});
  }
  c.set("job", result);
  return next();
};

/** What a request's Authorization header makes of its sender. */
export function visitorOf(request: Request, { TROUPE_SECRET }: Env): Visitor {
  if (!request.headers.has("authorization")) return "anonymous";
  const job = identifyJob(request, TROUPE_SECRET);
  return typeof job === "string" ? "known" : job;
}

/** The job's name, or the problem to answer with. */
export function identifyJob(request: Request, secret: string | undefined): string | Problem {
  if (!secret) {
    if (LOOPBACK.has(new URL(request.url).hostname)) return DEVELOPMENT_JOB;
    return problem(
      "not-configured",
      "TROUPE_SECRET is not set, so only requests to localhost are served. Set it with `wrangler secret put TROUPE_SECRET`.",
    );
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
