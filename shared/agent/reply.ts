// Makes the response to an operation, in the form of its binding.
import { A2A_CONTENT_TYPE } from "@a2a-js/sdk";
import { fromJsonRpcErrorResponse, restStatusFor, toJsonRpcError, toRestErrorBody } from "@a2a-js/sdk/errors";
import * as z from "zod";
import type { Operation, Reply } from "./rpc.ts";

/** As the SDK's handlers make it, for A2A 1.0 and 0.3. */
export interface JsonRpcResponse {
  readonly jsonrpc: string;
  readonly id?: string | number | null | undefined;
  readonly result?: unknown;
  readonly error?: unknown;
}

const JsonRpcError = z.object({
  code: z.number(),
  message: z.string(),
  data: z.array(z.record(z.string(), z.unknown())).default([]),
});

/** The JSON-RPC response, without its envelope for HTTP+JSON (A2A 1.0, sections 9.3 and 11.4). */
export function replyTo({ binding, id }: Operation, response: JsonRpcResponse): Reply {
  if (binding === "JSONRPC") return { status: 200, contentType: "application/json", body: JSON.stringify(response) };
  if (response.error === undefined) return httpJson(200, response.result ?? {});
  return httpJsonError(fromJsonRpcErrorResponse({ jsonrpc: "2.0", id, error: JsonRpcError.parse(response.error) }));
}

/** `status` replaces A2A's status for the error, over HTTP+JSON only. */
export function errorReply(
  operation: Pick<Operation, "binding" | "id">,
  error: unknown,
  status = restStatusFor(error),
): Reply {
  if (operation.binding === "HTTP+JSON") return httpJsonError(error, status);
  const response = { jsonrpc: "2.0", id: operation.id, error: toJsonRpcError(error) };
  return { status: 200, contentType: "application/json", body: JSON.stringify(response) };
}

export function toResponse({ status, headers, contentType, body }: Reply): Response {
  return new Response(body, { status, headers: { ...headers, "content-type": contentType } });
}

function httpJsonError(error: unknown, status = restStatusFor(error)): Reply {
  return httpJson(status, toRestErrorBody(error, status));
}

function httpJson(status: number, body: unknown): Reply {
  return { status, contentType: A2A_CONTENT_TYPE, body: JSON.stringify(body) };
}
