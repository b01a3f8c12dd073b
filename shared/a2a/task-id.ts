// Context and task ids. A task id is `<contextId>.<n>.<mac>`: it names its session without a lookup, and cannot be
// forged. A contextId is `<session>`; a peer's thread adds `~<caller>.<k>`, once for each hop. A contextId that would
// not be safe in a path segment stands in the id as `~` and its base64url: no contextId begins with that sign.
import { fromBase64url, toBase64url } from "./base64url.ts";
import { mac, macHex, sameMac } from "./token.ts";

/** Longest contextId that a client may choose, in characters. Threads of peers add to it. */
export const MAX_CONTEXT_ID = 200;
const MAC_LENGTH = 16;

/** The owner of a task. Signed into the id, so that an id is void for other agents and accounts. */
export interface TaskOwner {
  readonly agent: string;
  readonly principal: string;
}

export interface TaskRef {
  readonly contextId: string;
  /** The task's number within its thread, from 1. */
  readonly n: number;
}

export function formatTaskId(key: string, owner: TaskOwner, { contextId, n }: TaskRef): string {
  const context = isPathSafe(contextId) ? contextId : `~${toBase64url(contextId)}`;
  return `${context}.${n}.${taskMac(key, owner, contextId, n)}`;
}

/** The thread and number of a genuine id of this owner; undefined for any other text. */
export function parseTaskId(key: string, owner: TaskOwner, id: string): TaskRef | undefined {
  const match = /^(.+)\.([1-9]\d{0,14})\.([\w-]{16})$/s.exec(id);
  const [, context, digits, signature] = match ?? [];
  if (context === undefined || digits === undefined || signature === undefined) return undefined;
  const contextId = context.startsWith("~") ? fromBase64url(context.slice(1)) : context;
  if (contextId === undefined) return undefined;
  const n = Number(digits);
  return sameMac(signature, taskMac(key, owner, contextId, n)) ? { contextId, n } : undefined;
}

/** Whether a path segment holds the text as it is (RFC 3986, section 2.3). */
function isPathSafe(text: string): boolean {
  return /^[\w.-][\w.~-]*$/.test(text);
}

/** The session of a contextId: the text before the first `~`. */
export function sessionOf(contextId: string): string {
  const end = contextId.indexOf("~");
  return end === -1 ? contextId : contextId.slice(0, end);
}

/**
 * A contextId, shaped as a UUID, for a message without one. The same message of the same caller gets the same
 * contextId, so that a repeated message is not asked twice.
 */
export function mintContextId(key: string, principal: string, message: Readonly<Record<string, unknown>>): string {
  const { messageId, message_id: id = messageId, parts } = message;
  if (typeof id !== "string" || id === "") return crypto.randomUUID();
  const hex = macHex(key, JSON.stringify(["context", principal, id, parts]));
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}

/** The contextId of the `k`-th thread that `caller` opens at a peer from its own thread. */
export function peerContextId(contextId: string, caller: string, k: number): string {
  return `${contextId}~${caller}.${k}`;
}

/** The contextId of such a thread for an agent of others: it tells nothing, and no two principals have the same. */
export function remoteContextId(key: string, principal: string, contextId: string): string {
  return macHex(key, JSON.stringify(["remote", principal, contextId])).slice(0, 32);
}

function taskMac(key: string, owner: TaskOwner, contextId: string, n: number): string {
  return mac(key, JSON.stringify(["task", owner.agent, owner.principal, contextId, n]), MAC_LENGTH);
}
