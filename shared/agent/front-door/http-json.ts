// The HTTP+JSON binding (A2A 1.0, section 11): method, path, query and body → Operation.
import { RequestMalformedError } from "@a2a-js/sdk/errors";
import type { Operation } from "../rpc.ts";

/** Whether the path belongs to this binding, whatever the method. */
export function isHttpJsonPath(path: string): boolean {
  return /^\/(message:(send|stream)|tasks(\/.*)?|extendedAgentCard)$/s.test(path);
}

/** The operation that method and path mean; undefined when there is none. `body` is the parsed request body, if any. */
export function parseHttpJson(method: string, url: URL, body: unknown): Operation | undefined {
  const { pathname, searchParams } = url;
  const params = typeof body === "object" && body !== null && !Array.isArray(body) ? { ...body } : {};
  if (method === "POST" && pathname === "/message:send") return operation("SendMessage", params);
  if (method === "POST" && pathname === "/message:stream") return operation("SendStreamingMessage", params);
  if (method === "GET" && pathname === "/extendedAgentCard") return operation("GetExtendedAgentCard", {});
  if (method === "GET" && pathname === "/tasks") return operation("ListTasks", listParams(searchParams));
  const [, rawId, verb] = /^\/tasks\/([^/]+?)(?::(cancel|subscribe))?$/.exec(pathname) ?? [];
  if (rawId === undefined) return pushConfig(method, pathname, searchParams, params);
  const id = decode(rawId);
  if (verb === "cancel" && method === "POST") return operation("CancelTask", { ...params, id });
  if (verb === "subscribe" && (method === "POST" || method === "GET")) return operation("SubscribeToTask", { id });
  if (verb === undefined && method === "GET")
    return operation("GetTask", { id, ...number(searchParams, "historyLength") });
  return undefined;
}

/** /tasks/{taskId}/pushNotificationConfigs, and /{id} below it. */
function pushConfig(
  method: string,
  path: string,
  query: URLSearchParams,
  body: Record<string, unknown>,
): Operation | undefined {
  const [, rawTask, rawId] = /^\/tasks\/([^/]+)\/pushNotificationConfigs(?:\/([^/]+))?$/.exec(path) ?? [];
  if (rawTask === undefined) return undefined;
  const taskId = decode(rawTask);
  if (rawId === undefined) {
    const pageToken = query.get("pageToken") ?? "";
    if (method === "POST") return operation("CreateTaskPushNotificationConfig", { ...body, taskId });
    if (method !== "GET") return undefined;
    return operation("ListTaskPushNotificationConfigs", { taskId, pageToken, ...number(query, "pageSize") });
  }
  const config = { taskId, id: decode(rawId) };
  if (method === "GET") return operation("GetTaskPushNotificationConfig", config);
  return method === "DELETE" ? operation("DeleteTaskPushNotificationConfig", config) : undefined;
}

function operation(method: string, params: Record<string, unknown>): Operation {
  return { binding: "HTTP+JSON", id: null, method, params };
}

function listParams(query: URLSearchParams): Record<string, unknown> {
  const text: Record<string, string> = {};
  for (const name of ["contextId", "status", "pageToken", "statusTimestampAfter"]) {
    const value = query.get(name);
    if (value) text[name] = value;
  }
  return {
    ...text,
    ...number(query, "pageSize"),
    ...number(query, "historyLength"),
    ...(query.has("includeArtifacts") ? { includeArtifacts: query.get("includeArtifacts") === "true" } : {}),
  };
}

function number(query: URLSearchParams, name: string): Record<string, number> {
  const value = query.get(name);
  if (value === null || value === "") return {};
  if (!/^\d{1,9}$/.test(value)) throw new RequestMalformedError(`${name} must be a whole number, not "${value}".`);
  return { [name]: Number(value) };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new RequestMalformedError(`The path segment "${segment}" is not correctly percent-encoded.`);
  }
}
