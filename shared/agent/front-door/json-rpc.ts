// The JSON-RPC binding (A2A 1.0, section 9): request body → Operation, or the error.
import { isLegacyJsonRpcMethod, legacyJsonRpcToV1Method } from "@a2a-js/sdk/compat/v0_3";
import { A2A_ERROR_CODE } from "@a2a-js/sdk/errors";
import * as z from "zod";
import type { Operation } from "../rpc.ts";

const Request = z.object({
  jsonrpc: z.literal("2.0"),
  method: z.string().min(1),
  id: z.union([z.string(), z.int(), z.null()]).default(null),
  params: z.union([z.record(z.string(), z.unknown()), z.array(z.unknown())]).default({}),
});

export function parseJsonRpc(body: unknown): Operation | { readonly invalid: object } {
  const parsed = Request.safeParse(body);
  if (parsed.success) {
    const { id, method, params } = parsed.data;
    if (!Array.isArray(params)) return { binding: "JSONRPC", id, method, params };
    const message = "A2A takes params by name: send an object.";
    return { invalid: { jsonrpc: "2.0", id, error: { code: A2A_ERROR_CODE.INVALID_PARAMS, message } } };
  }
  const id = z.object({ id: z.union([z.string(), z.int()]) }).safeParse(body).data?.id ?? null;
  const message = `Not a JSON-RPC 2.0 request: ${z.prettifyError(parsed.error)}`;
  return { invalid: { jsonrpc: "2.0", id, error: { code: A2A_ERROR_CODE.INVALID_REQUEST, message } } };
}

/** An operation of A2A 0.3, under its name in 1.0. Its params stay as they are. Any other operation is returned unchanged. */
export function ofLegacy(operation: Operation): Operation {
  const { method, params } = operation;
  if (!isLegacyJsonRpcMethod(method)) return operation;
  const { message } = params;
  const read = message === undefined ? params : { ...params, message: withoutAliases(message) };
  return { ...operation, method: legacyJsonRpcToV1Method(method), legacy: method, params: read };
}

/** Without the proto names of fields, which 0.3 does not know: whoever read them here would go by other ids than the SDK. */
function withoutAliases(message: unknown): unknown {
  if (typeof message !== "object" || message === null || Array.isArray(message)) return message;
  return Object.fromEntries(Object.entries(message).filter(([name]) => !ALIASES.has(name)));
}

const ALIASES: ReadonlySet<string> = new Set(["message_id", "context_id", "task_id"]);

/** The answer to an unreadable request: `code` -32700 for bad JSON, else -32600. */
export function unreadable(code: number, message: string, status: number): Response {
  return Response.json({ jsonrpc: "2.0", id: null, error: { code, message } }, { status });
}
