// Who sends a request, as far as it can be proved: another agent by a token, a person by a key, or nobody.
import { verifyRequest } from "../../a2a/peer-token.ts";
import { bearer } from "../../a2a/token.ts";
import { jobOfKey, SCOPES, type Scope } from "../../control-plane/keys.ts";
import { problem, type Problem } from "../../http/problem.ts";
import { promiseBody } from "../../http/read-json.ts";
import { LOCAL_PRINCIPAL, type Caller } from "../caller.ts";
import { accountOf, type KeysEnv } from "../control-plane/keys-client.ts";
import { configOf } from "../env.ts";
import type { Operation } from "../rpc.ts";
import { beginsTask, isMessage } from "./route.ts";

export interface Admitted {
  readonly caller: Caller;
  /** The agent or the command line that has signed the request. */
  readonly sender: string | undefined;
  readonly scopes: readonly Scope[];
  /** Whether the key of the request still counts; undefined for a request without one. */
  readonly counts: (() => Promise<boolean>) | undefined;
  /** The only message that the request may bring; undefined where none is promised. */
  readonly messageId: string | undefined;
}

const NO_KEY = problem(
  "unauthorized",
  'This agent answers accounts only: send "authorization: Bearer <key>". Whoever deployed the job makes keys: troupe keys create.',
);
const INVALID = problem(
  "unauthorized",
  "The Authorization header holds nothing that counts for this agent: no key, or a token that is malformed, forged, expired, used before, or meant for another agent or request.",
);
const AWAY = problem(
  "busy",
  "The control plane, which knows the keys, does not answer. Send the request again in a moment.",
);

/** The sender, or why the credentials are refused. Only a key has to be asked about. */
export function admit(request: Request, env: KeysEnv): Admitted | Problem | Promise<Admitted | Problem> {
  const asked = { traceparent: request.headers.get("traceparent"), receivedAt: Date.now() };
  const header = request.headers.get("authorization");
  if (header === null) {
    if (configOf(env).accounts === "required") return NO_KEY;
    return ofPerson(LOCAL_PRINCIPAL, SCOPES, asked);
  }
  const token = bearer(header) ?? "";
  if (jobOfKey(token) !== undefined) return byKey(token, env, asked);
  const { pathname, search } = new URL(request.url);
  const claims = verifyRequest(token, configOf(env), { method: request.method, path: pathname + search });
  if (!claims) return INVALID;
  const { principal, chain, query, from, message, body } = claims;
  promiseBody(request, body);
  const caller = { principal, chain, query, ...asked };
  return { caller, sender: from, scopes: SCOPES, counts: undefined, messageId: message };
}

async function byKey(
  key: string,
  env: KeysEnv,
  asked: Pick<Caller, "traceparent" | "receivedAt">,
): Promise<Admitted | Problem> {
  const account = await accountOf(env, key);
  if (account === "refused") return INVALID;
  if (account === "away") return AWAY;
  const counts = async () => typeof (await accountOf(env, key)) === "object";
  return { ...ofPerson(account.account, account.scopes, asked), counts };
}

function ofPerson(
  principal: string,
  scopes: readonly Scope[],
  asked: Pick<Caller, "traceparent" | "receivedAt">,
): Admitted {
  const caller = { principal, chain: [], query: undefined, ...asked };
  return { caller, sender: undefined, scopes, counts: undefined, messageId: undefined };
}

/** Why the sender may not do this; undefined where it may. */
export function refusalOf({ scopes, messageId }: Admitted, operation: Operation): Problem | undefined {
  if (isMessage(operation) && messageId !== undefined && idOf(operation.params["message"]) !== messageId)
    return INVALID;
  const needed = scopeOf(operation);
  if (needed === undefined || scopes.includes(needed)) return undefined;
  const has = scopes.length === 0 ? "none" : scopes.join(", ");
  return problem("forbidden", `${operation.method} needs a key with the scope ${needed}. This key has: ${has}.`);
}

/** What a method needs. A message that answers a task needs more than one that opens one. */
const NEEDS: Readonly<Record<string, Scope>> = {
  CancelTask: "ask",
  GetTask: "read",
  ListTasks: "read",
  SubscribeToTask: "read",
  CreateTaskPushNotificationConfig: "ask",
  GetTaskPushNotificationConfig: "read",
  ListTaskPushNotificationConfigs: "read",
  DeleteTaskPushNotificationConfig: "ask",
};

function scopeOf(operation: Operation): Scope | undefined {
  if (isMessage(operation)) return beginsTask(operation) ? "ask" : "approve";
  return Object.hasOwn(NEEDS, operation.method) ? NEEDS[operation.method] : undefined;
}

function idOf(message: unknown): unknown {
  if (typeof message !== "object" || message === null) return undefined;
  return "messageId" in message ? message.messageId : "message_id" in message ? message.message_id : undefined;
}
