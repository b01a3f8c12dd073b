// Finds the session of an operation, by its ids alone. A made-up id is refused here, without a call of any object.
import { A2A_ERROR_CODE, JsonRpcTransportError, RequestMalformedError, TaskNotFoundError } from "@a2a-js/sdk/errors";
import { isV1JsonRpcMethod } from "@a2a-js/sdk/compat/v0_3";
import * as z from "zod";
import { MAX_CONTEXT_ID, mintContextId, parseTaskId, sessionOf, type TaskOwner } from "../../a2a/task-id.ts";
import type { Operation } from "../rpc.ts";
import type { Caller } from "../caller.ts";

/** `session`: the operation belongs to that Session. `index`: it spans sessions. `card`: it is about the agent. */
export type Route =
  | { readonly to: "session"; readonly session: string; readonly operation: Operation }
  | { readonly to: "index" }
  | { readonly to: "card" };

// ProtoJSON: null means left out, and a field may have its proto name (A2A 1.0, section 5.5).
const Text = z.string().nullish();
const Context = z
  .object({ contextId: Text, context_id: Text })
  .transform(({ contextId, context_id }) => contextId ?? context_id ?? "");
const Task = z.object({ taskId: Text, task_id: Text }).transform(({ taskId, task_id }) => taskId ?? task_id ?? "");
const Part = z.object({ text: Text, raw: Text, url: Text });
const SendParams = z.object({
  message: z.looseObject({ messageId: Text, message_id: Text, parts: z.array(Part).nullish() }),
});
const TaskParams = z.object({ id: Text });
const PushParams = z.object({
  id: Text,
  url: Text,
  token: Text,
  authentication: z.object({ scheme: Text, credentials: Text }).nullish(),
});
const LegacyPushParams = z.object({
  pushNotificationConfig: PushParams.omit({ authentication: true }).extend({
    authentication: z.object({ schemes: z.array(z.string()), credentials: Text }).nullish(),
  }),
});

/** Throws A2AError: RequestMalformed for malformed ids, TaskNotFound for an id that this agent never gave to this caller. */
export function route(operation: Operation, caller: Caller, key: string, owner: TaskOwner): Route {
  const { method, params } = operation;
  switch (method) {
    case "SendMessage":
    case "SendStreamingMessage":
      return sendRoute(operation, caller, key, owner);
    case "ListTasks": {
      const contextId = parse(Context, params);
      if (contextId === "" && caller.chain.length === 0) return { to: "index" };
      checkContextId(contextId, caller);
      return { to: "session", session: sessionOf(contextId), operation };
    }
    case "GetTask":
    case "CancelTask":
    case "SubscribeToTask":
      return {
        to: "session",
        session: taskSession(["id", parse(TaskParams, params).id ?? ""], caller, owner, key),
        operation,
      };
    case "GetExtendedAgentCard":
      return { to: "card" };
    case "CreateTaskPushNotificationConfig":
    case "GetTaskPushNotificationConfig":
    case "ListTaskPushNotificationConfigs":
    case "DeleteTaskPushNotificationConfig":
      return { to: "session", session: taskSession(pushTask(operation), caller, owner, key), operation };
    default: {
      const error = { code: A2A_ERROR_CODE.METHOD_NOT_FOUND, message: `A2A 1.0 has no method ${method}.` };
      throw new JsonRpcTransportError({ jsonrpc: "2.0", id: operation.id, error });
    }
  }
}

/** Whether A2A 1.0 has such a method. */
export function isKnownMethod(method: string): boolean {
  return isV1JsonRpcMethod(method);
}

/** The field that names the task of an operation on push configs, and its value. A2A 0.3 has another for most of them. */
function pushTask({ method, legacy, params }: Operation): [field: string, id: string] {
  if (legacy === undefined) parse(PushParams, params);
  else if (method === "CreateTaskPushNotificationConfig") parse(LegacyPushParams, params);
  else return ["id", parse(TaskParams, params).id ?? ""];
  return ["taskId", parse(Task, params)];
}

/** Whether an operation opens a task, rather than answering one that waits. */
export function beginsTask(operation: Operation): boolean {
  const { message } = operation.params;
  return isMessage(operation) && (isFine(message) ? taskIdIn(message) : Task.safeParse(message).data) === "";
}

export function isMessage({ method }: Operation): boolean {
  return method === "SendMessage" || method === "SendStreamingMessage";
}

function sendRoute(operation: Operation, caller: Caller, key: string, owner: TaskOwner): Route {
  const sent = operation.params["message"];
  const fine = isFine(sent) ? sent : undefined;
  const message = fine ?? parse(SendParams, operation.params).message;
  if (!message.parts?.length) throw new RequestMalformedError("message.parts is empty: send at least one text part.");
  checkMessageId(message.messageId ?? message.message_id ?? "");
  const taskId = fine ? taskIdIn(fine) : parse(Task, message);
  if (taskId !== "") return { to: "session", session: taskSession(["taskId", taskId], caller, owner, key), operation };
  const contextId = fine ? contextIdIn(fine) : parse(Context, message);
  if (contextId !== "") {
    checkContextId(contextId, caller);
    return { to: "session", session: sessionOf(contextId), operation };
  }
  const minted = mintContextId(key, owner.principal, message);
  const params = { ...operation.params, message: { ...message, contextId: minted } };
  return { to: "session", session: minted, operation: { ...operation, params } };
}

/** A message whose fields are what they should be: most are, and a plain look costs less than a schema, which words the errors. */
interface FineMessage extends Record<string, unknown> {
  readonly messageId?: string | null;
  readonly message_id?: string | null;
  readonly contextId?: string | null;
  readonly context_id?: string | null;
  readonly taskId?: string | null;
  readonly task_id?: string | null;
  readonly parts?: readonly unknown[] | null;
}

function isFine(message: unknown): message is FineMessage {
  if (!isObject(message)) return false;
  const { messageId, message_id, contextId, context_id, taskId, task_id, parts } = message;
  if (![messageId, message_id, contextId, context_id, taskId, task_id].every(isText)) return false;
  if (parts === undefined || parts === null) return true;
  return (
    Array.isArray(parts) &&
    parts.every((part) => isObject(part) && [part["text"], part["raw"], part["url"]].every(isText))
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): boolean {
  return value === undefined || value === null || typeof value === "string";
}

function taskIdIn({ taskId, task_id }: FineMessage): string {
  return taskId ?? task_id ?? "";
}

function contextIdIn({ contextId, context_id }: FineMessage): string {
  return contextId ?? context_id ?? "";
}

/** In storage, two ill-formed ids could become the same. */
function checkMessageId(messageId: string): void {
  if (!messageId.isWellFormed()) throw new RequestMalformedError("The messageId holds half a surrogate pair.");
}

/** Takes the id with the name of its field. */
function taskSession(
  [field, id]: readonly [field: string, id: string],
  { chain }: Caller,
  owner: TaskOwner,
  key: string,
): string {
  if (id === "") throw new RequestMalformedError(`${field} is required: name a task.`);
  const ref = parseTaskId(key, owner, id);
  const isVisible = ref && (chain.length === 0 || isThreadOf(ref.contextId, chain));
  if (!isVisible) throw new TaskNotFoundError(`The task ${id.slice(0, 300)} was not found.`);
  return sessionOf(ref.contextId);
}

/** Only peers may name a thread within a session, and they name only threads in the form that they make. */
function checkContextId(contextId: string, { chain }: Caller): void {
  if (sessionOf(contextId).length > MAX_CONTEXT_ID) {
    throw new RequestMalformedError(
      `The contextId has ${contextId.length} characters; the limit is ${MAX_CONTEXT_ID}.`,
    );
  }
  if (!contextId.isWellFormed()) throw new RequestMalformedError("The contextId holds half a surrogate pair.");
  if (chain.length > 0 && !isThreadOf(contextId, chain)) {
    throw new RequestMalformedError(
      "An agent speaks in threads of its own: `<contextId>~<agent>.<number>`, with its own id and a number.",
    );
  }
  if (chain.length === 0 && contextId.includes("~")) {
    throw new RequestMalformedError(
      "A contextId must not contain `~`: that sign separates the threads that agents open among themselves.",
    );
  }
}

/** Whether the last agent of the chain opens threads of this form. */
function isThreadOf(contextId: string, chain: readonly string[]): boolean {
  const [, k] = /\.(\d+)$/.exec(contextId) ?? [];
  return k !== undefined && contextId.endsWith(`~${chain.at(-1) ?? ""}.${k}`);
}

function parse<Schema extends z.ZodType>(schema: Schema, params: unknown): z.output<Schema> {
  const parsed = schema.safeParse(params);
  if (!parsed.success) throw new RequestMalformedError(`Invalid parameters: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
