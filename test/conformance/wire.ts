// One A2A agent over both bindings, as bytes: nothing here knows Troupe or an SDK.
import * as z from "zod";

export const BINDINGS = ["JSONRPC", "HTTP+JSON"] as const;
export type Binding = (typeof BINDINGS)[number];

export type Json = Readonly<Record<string, unknown>>;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined for an error. */
  readonly result: Json | undefined;
  readonly error: { readonly code: number; readonly message: string; readonly reason: string | undefined } | undefined;
}

const LONGEST_MS = 30_000;
const Anything = z.looseObject({});
const Detail = z.looseObject({ reason: z.optional(z.string()) });
const RpcError = z.object({ code: z.number(), message: z.string(), data: z.array(Detail).default([]) });
const HttpError = z.object({ code: z.number(), message: z.string(), details: z.array(Detail).default([]) });
/** Some write nothing as null. */
const Result = z.nullable(Anything).transform((result) => result ?? {});
const Envelope = z.looseObject({ result: z.optional(Result), error: z.optional(RpcError) });

/** Codes of JSON-RPC by the reasons of google.rpc.ErrorInfo (A2A 1.0, section 5.4). */
const CODES: Readonly<Record<string, number>> = {
  TASK_NOT_FOUND: -32001,
  TASK_NOT_CANCELABLE: -32002,
  PUSH_NOTIFICATION_NOT_SUPPORTED: -32003,
  UNSUPPORTED_OPERATION: -32004,
  CONTENT_TYPE_NOT_SUPPORTED: -32005,
  EXTENDED_AGENT_CARD_NOT_CONFIGURED: -32007,
  VERSION_NOT_SUPPORTED: -32009,
  INVALID_PARAMS: -32602,
};

export class Agent {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** One unary operation. */
  async call(
    binding: Binding,
    method: string,
    params: Json = {},
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await this.#request(binding, method, params, headers);
    const body: unknown = await response.json();
    const answer = { status: response.status, headers: response.headers };
    if (binding === "JSONRPC") {
      const { result, error } = Envelope.parse(body);
      const reason = error?.data.find((detail) => detail.reason)?.reason;
      return { ...answer, result, error: error && { code: error.code, message: error.message, reason } };
    }
    if (response.ok) return { ...answer, result: Anything.parse(body), error: undefined };
    const { error } = z.object({ error: HttpError }).parse(body);
    const reason = error.details.find((detail) => detail.reason)?.reason;
    const code = CODES[reason ?? ""] ?? error.code;
    return { ...answer, result: undefined, error: { code, message: error.message, reason } };
  }

  /** The events of a streaming operation, as they come. An error frame, or an error instead of a stream, is thrown. */
  async *stream(binding: Binding, method: string, params: Json = {}): AsyncGenerator<Json, void, undefined> {
    const response = await this.#request(binding, method, params, {});
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
    if (!isStream || !response.body) throw new Error(`no stream but ${response.status}: ${await response.text()}`);
    let rest = "";
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      const frames = (rest + text).split("\n\n");
      rest = frames.pop() ?? "";
      for (const frame of frames) {
        const data = /^data: ?(.*)$/m.exec(frame)?.[1];
        if (data === undefined) continue;
        const event: unknown = JSON.parse(data);
        const { result, error } = binding === "JSONRPC" ? Envelope.parse(event) : { result: event, error: undefined };
        if (error) throw new Error(`${error.code}: ${error.message}`);
        yield Anything.parse(result);
      }
    }
  }

  async #request(binding: Binding, method: string, params: Json, headers: Record<string, string>): Promise<Response> {
    const all = { "content-type": "application/json", "a2a-version": "1.0", ...headers };
    const signal = AbortSignal.timeout(LONGEST_MS);
    if (binding === "JSONRPC") {
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
      return fetch(`${this.url}/jsonrpc`, { method: "POST", headers: all, body, signal });
    }
    const { verb, path, query, body } = httpOf(method, params);
    const url = new URL(this.url + path);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    return fetch(url, { method: verb, headers: all, signal, ...sent });
  }
}

interface HttpRequest {
  readonly verb: string;
  readonly path: string;
  readonly query: Json;
  readonly body: Json | undefined;
}

/** Section 11.3. */
function httpOf(method: string, params: Json): HttpRequest {
  const { id, taskId, ...rest } = params;
  const get = (path: string, query: Json = {}) => ({ verb: "GET", path, query, body: undefined });
  const post = (path: string, body: Json) => ({ verb: "POST", path, query: {}, body });
  const task = `/tasks/${String(id)}`;
  const configs = `/tasks/${String(taskId)}/pushNotificationConfigs`;
  switch (method) {
    case "SendMessage":
      return post("/message:send", params);
    case "SendStreamingMessage":
      return post("/message:stream", params);
    case "GetTask":
      return get(task, rest);
    case "ListTasks":
      return get("/tasks", params);
    case "CancelTask":
      return post(`${task}:cancel`, {});
    case "SubscribeToTask":
      return get(`${task}:subscribe`);
    case "GetExtendedAgentCard":
      return get("/extendedAgentCard");
    case "CreateTaskPushNotificationConfig":
      return post(configs, { ...rest, ...(id === undefined ? {} : { id }) });
    case "ListTaskPushNotificationConfigs":
      return get(configs, rest);
    case "GetTaskPushNotificationConfig":
      return get(`${configs}/${String(id)}`);
    case "DeleteTaskPushNotificationConfig":
      return { verb: "DELETE", path: `${configs}/${String(id)}`, query: {}, body: undefined };
    default:
      throw new Error(`HTTP+JSON has no ${method}.`);
  }
}
