// Who sends a request, as far as it can be proved: nobody without credentials, or another agent by a token.
import { verifyRequest } from "../../a2a/peer-token.ts";
import { bearer } from "../../a2a/token.ts";
import { promiseBody } from "../../http/read-json.ts";
import { LOCAL_PRINCIPAL, type Caller } from "../caller.ts";
import { configOf, type AgentEnv } from "../env.ts";

export interface Admitted {
  readonly caller: Caller;
  /** The agent or the command line that has signed the request. */
  readonly sender: string | undefined;
  /** The only message that the request may bring; undefined where none is promised. */
  readonly messageId: string | undefined;
}

/** Undefined for invalid credentials. A request without credentials comes from a person at this machine. */
export function admit(request: Request, env: AgentEnv): Admitted | undefined {
  const asked = { traceparent: request.headers.get("traceparent"), receivedAt: Date.now() };
  const header = request.headers.get("authorization");
  if (header === null) {
    const caller = { principal: LOCAL_PRINCIPAL, chain: [], query: undefined, ...asked };
    return { caller, sender: undefined, messageId: undefined };
  }
  const token = bearer(header);
  const { pathname, search } = new URL(request.url);
  const claims = token && verifyRequest(token, configOf(env), { method: request.method, path: pathname + search });
  if (!claims) return undefined;
  const { principal, chain, query, from, message, body } = claims;
  promiseBody(request, body);
  return { caller: { principal, chain, query, ...asked }, sender: from, messageId: message };
}

/** Whether a message is the one that its token is for. */
export function isPromised({ messageId }: Admitted, message: unknown): boolean {
  if (messageId === undefined) return true;
  if (typeof message !== "object" || message === null) return false;
  const sent = "messageId" in message ? message.messageId : "message_id" in message ? message.message_id : undefined;
  return sent === messageId;
}
