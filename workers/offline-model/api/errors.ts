// Errors in the Messages API's form.
import type * as z from "zod";

const TYPES = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  405: "invalid_request_error",
  408: "invalid_request_error",
  413: "request_too_large",
  429: "rate_limit_error",
  500: "api_error",
  503: "overloaded_error",
  529: "overloaded_error",
} as const;

export type ErrorStatus = keyof typeof TYPES;

export function isErrorStatus(status: number): status is ErrorStatus {
  return Object.hasOwn(TYPES, status);
}

/** The JSON of an error: a body, or the data of an `error` event. */
export function errorBody(status: ErrorStatus, message: string, requestId: string) {
  return { type: "error" as const, error: { type: TYPES[status], message }, request_id: requestId };
}

export function errorResponse(status: ErrorStatus, message: string, headers: Record<string, string> = {}): Response {
  const requestId = newRequestId();
  return Response.json(errorBody(status, message, requestId), {
    status,
    headers: { "request-id": requestId, ...headers },
  });
}

/** Random: not part of the deterministic answer. */
export function newRequestId(): string {
  return `req_offline_${crypto.randomUUID().replaceAll("-", "").slice(0, 20)}`;
}

/** The first mistake, e.g. `messages.0.role: Invalid option…`; a missing field is `Field required`. */
export function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return "the request is not valid";
  const path = issue.path.length > 0 ? issue.path.join(".") : "body";
  const missing = issue.code === "invalid_type" && issue.message.endsWith("received undefined");
  return `${path}: ${missing ? "Field required" : issue.message}`;
}
