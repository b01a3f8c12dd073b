// Asks another agent and follows its task to the end, over the HTTP+JSON binding (A2A 1.0, section 11).
// Which connection that is (a service binding, or HTTP) and who may be asked is the caller's affair.
import { A2A_PROTOCOL_VERSION, A2A_VERSION_HEADER, Role, TaskState, taskStateToJSON } from "@a2a-js/sdk";
import { RestTransportFactory, type Transport } from "@a2a-js/sdk/client";
import { Usage } from "../tracing/usage.ts";
import { isTerminal, textMessage, textOfParts } from "./message.ts";

export interface PeerRequest {
  readonly fetch: typeof fetch;
  /** The agent's origin; over a binding any origin will do. */
  readonly origin: string;
  readonly token: string;
  readonly traceparent: string;
  readonly contextId: string;
  readonly messageId: string;
  readonly text: string;
  readonly signal: AbortSignal;
  /** Called once, with the id of the task that the peer opened, before its answer is awaited. */
  readonly onTask: (taskId: string) => void;
  /** Keeps work alive that outlives the call: telling the peer to stop. */
  readonly waitUntil: (work: Promise<unknown>) => void;
}

export interface PeerAnswer {
  readonly text: string;
  /** What the peer and those it asked have used, where it says so. */
  readonly usage: Usage | undefined;
}

/** The peer's task came to its end without an answer; the message says how. */
class PeerTaskError extends Error {
  override readonly name = "PeerTaskError";
}

const CANCEL_LIMIT_MS = 5_000;
/** Characters of an answer that are waited for; no more than a part of them would reach the model. */
const MAX_ANSWER = 1_000_000;

/**
 * Sends one message and resolves to the answer of the task it opened. When `signal` aborts, or the connection breaks, the peer is
 * told to cancel the task. Throws PeerTaskError when the task failed, an A2AError when the peer refused, or what the connection threw.
 */
export async function askPeer(request: PeerRequest): Promise<PeerAnswer> {
  const transport = await new RestTransportFactory({ fetchImpl: withoutRedirects(request.fetch) }).create(
    request.origin,
    NO_CARD,
  );
  const serviceParameters = {
    [A2A_VERSION_HEADER]: A2A_PROTOCOL_VERSION,
    Authorization: `Bearer ${request.token}`,
    traceparent: request.traceparent,
  };
  const { signal } = request;
  signal.throwIfAborted();
  const opened = Promise.withResolvers<string | undefined>();
  const connection = new AbortController();
  const answer = follow(transport, { ...request, signal: connection.signal }, serviceParameters, (id) => {
    opened.resolve(id);
    if (!signal.aborted) request.onTask(id);
  });
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([answer, aborted.promise]);
  } catch (error) {
    if (!(error instanceof PeerTaskError)) request.waitUntil(giveUp());
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }

  /** A peer that was asked has a task to cancel even if it has not said yet which one that is. */
  async function giveUp(): Promise<void> {
    const limit = setTimeout(() => connection.abort(), CANCEL_LIMIT_MS);
    const none = () => opened.resolve(undefined);
    answer.then(none, none);
    const id = await opened.promise;
    clearTimeout(limit);
    connection.abort();
    if (id !== undefined) await cancelTask(transport, id, serviceParameters);
  }
}

async function follow(
  transport: Transport,
  { contextId, messageId, text, signal }: PeerRequest,
  serviceParameters: Record<string, string>,
  onTask: (taskId: string) => void,
): Promise<PeerAnswer> {
  const message = textMessage(Role.ROLE_USER, text, { contextId, messageId });
  const params = { tenant: "", message, configuration: undefined, metadata: undefined };
  let answer = "";
  for await (const { payload } of transport.sendMessageStream(params, { signal, serviceParameters })) {
    if (payload?.$case === "task") onTask(payload.value.id);
    if (payload?.$case === "artifactUpdate") {
      const chunk = textOfParts(payload.value.artifact?.parts);
      answer = payload.value.append ? answer + chunk : chunk;
      if (answer.length > MAX_ANSWER) throw new Error(`its answer has more than ${MAX_ANSWER} characters`);
    }
    if (payload?.$case !== "statusUpdate") continue;
    const { status, metadata } = payload.value;
    const state = status?.state ?? TaskState.TASK_STATE_UNSPECIFIED;
    if (state === TaskState.TASK_STATE_COMPLETED) {
      return { text: answer, usage: Usage.safeParse(metadata?.["usage"]).data };
    }
    if (isTerminal(state) || state === TaskState.TASK_STATE_INPUT_REQUIRED) {
      const reason = textOfParts(status?.message?.parts);
      throw new PeerTaskError(`its task ended as ${taskStateToJSON(state)}${reason ? `: ${reason}` : ""}`);
    }
  }
  throw new Error("the connection ended before its task did");
}

/** A peer that points elsewhere is not followed: the token is for it alone. */
function withoutRedirects(fetchImpl: typeof fetch): typeof fetch {
  return (input, init) => fetchImpl(input, { ...init, redirect: "manual" });
}

async function cancelTask(transport: Transport, id: string, serviceParameters: Record<string, string>): Promise<void> {
  const signal = AbortSignal.timeout(CANCEL_LIMIT_MS);
  await transport.cancelTask({ tenant: "", id, metadata: undefined }, { signal, serviceParameters });
}

/** The transport is chosen already, so it reads nothing of a card. */
const NO_CARD = {
  name: "",
  description: "",
  supportedInterfaces: [],
  provider: undefined,
  version: "",
  capabilities: undefined,
  securitySchemes: {},
  securityRequirements: [],
  defaultInputModes: [],
  defaultOutputModes: [],
  skills: [],
  signatures: [],
};
