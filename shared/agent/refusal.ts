// Refusals for which A2A has no error: no credentials, not allowed, too much at once. In the form of the binding.
import { A2A_CONTENT_TYPE } from "@a2a-js/sdk";
import type { Problem } from "../http/problem.ts";
import type { Operation, Reply } from "./rpc.ts";

/** A server's own error (JSON-RPC 2.0, section 5.1), of which A2A takes none. */
const SERVER_ERROR = -32_000;

/** Names of google.rpc.Code, which HTTP+JSON repeats (A2A 1.0, section 11.6). */
const NAMES: Readonly<Record<number, string>> = {
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  429: "RESOURCE_EXHAUSTED",
  503: "UNAVAILABLE",
};

export function refusalReply(
  { binding, id }: Pick<Operation, "binding" | "id">,
  { detail, status }: Problem,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  if (binding === "JSONRPC") {
    const body = JSON.stringify({ jsonrpc: "2.0", id, error: { code: SERVER_ERROR, message: detail } });
    return { status, headers, contentType: "application/json", body };
  }
  const error = { code: status, status: NAMES[status] ?? "UNKNOWN", message: detail, details: [] };
  return { status, headers, contentType: A2A_CONTENT_TYPE, body: JSON.stringify({ error }) };
}
