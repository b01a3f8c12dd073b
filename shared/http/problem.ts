// Errors of our HTTP APIs as RFC 9457 problem details.
import * as z from "zod";

/** `type` is a reference relative to the server; its last segment is a stable code. */
export const Problem = z.object({
  type: z.string().meta({ examples: ["/problems/unknown-agent"] }),
  title: z.string(),
  status: z.int(),
  /** What is wrong with this request, then what to do. */
  detail: z.string(),
});
export type Problem = z.infer<typeof Problem>;

const KINDS = {
  "invalid-request": { status: 400, title: "The request is not valid" },
  unauthorized: { status: 401, title: "The request carries no valid token" },
  forbidden: { status: 403, title: "The key does not allow this" },
  "foreign-host": { status: 403, title: "The request names another host" },
  "foreign-origin": { status: 403, title: "The request comes from a page of another origin" },
  "not-found": { status: 404, title: "There is nothing at this path" },
  "unknown-key": { status: 404, title: "No such key counts" },
  "unknown-agent": { status: 404, title: "No agent has this id" },
  "unknown-trace": { status: 404, title: "No trace has this id" },
  "unknown-query": { status: 404, title: "No account is kept of this query" },
  "unknown-reservation": { status: 404, title: "No call of this query has this id" },
  "method-not-allowed": { status: 405, title: "The path does not support this method" },
  "request-timeout": { status: 408, title: "The request body came too slowly" },
  "reservation-released": { status: 409, title: "The call was given up" },
  "key-exists": { status: 409, title: "There is a key of this name" },
  "keys-full": { status: 409, title: "The job has as many keys as it may" },
  "session-exists": { status: 409, title: "There is a session of this name" },
  "registry-full": { status: 409, title: "The registry holds as many agents as it may" },
  "body-too-large": { status: 413, title: "The request body is too large" },
  "unsupported-media-type": { status: 415, title: "The request body has the wrong content type" },
  "too-many-requests": { status: 429, title: "The caller sends more than it may" },
  internal: { status: 500, title: "The server failed" },
  busy: { status: 503, title: "The server has no room for more at the moment" },
  "not-configured": { status: 503, title: "The server is not configured" },
} as const;

export type ProblemKind = keyof typeof KINDS;

export function problem(kind: ProblemKind, detail: string): Problem {
  return { type: `/problems/${kind}`, ...KINDS[kind], detail };
}

/** Makes the response for `problem`, with `headers` such as `allow` or `www-authenticate`. */
export function problemResponse(problem: Problem, headers: Record<string, string> = {}): Response {
  return Response.json(problem, {
    status: problem.status,
    headers: { ...headers, "content-type": "application/problem+json" },
  });
}

/** 405, for a path that supports only the methods in `allow`. */
export function wrongMethod(allow: string): Response {
  return problemResponse(problem("method-not-allowed", `Use ${allow}. See /openapi.json.`), { allow });
}
