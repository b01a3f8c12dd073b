// One A2A operation on its way from the front door to the Session: the JSON-RPC form, whichever binding it came by.

export type Binding = "JSONRPC" | "HTTP+JSON";

export interface Operation {
  readonly binding: Binding;
  /** JSON-RPC request id; null for HTTP+JSON. */
  readonly id: string | number | null;
  /** A2A method name, e.g. `SendMessage`. */
  readonly method: string;
  readonly params: Record<string, unknown>;
}

/** Who calls, as far as it could be proved. */
export interface Caller {
  /** The account whose sessions these are. */
  readonly principal: string;
  /** The agents the query went through, oldest first; empty when a person asks. */
  readonly chain: readonly string[];
  /** The query that the message is part of; undefined where it begins one. */
  readonly query: string | undefined;
  /** `traceparent` of the request, unparsed. */
  readonly traceparent: string | null;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
}

/** Whose sessions they are until there are accounts. */
export const LOCAL_PRINCIPAL = "local";

export function isStreaming(method: string): boolean {
  return method === "SendStreamingMessage" || method === "SubscribeToTask";
}
