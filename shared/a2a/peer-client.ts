// Asks another agent and follows its task until it ends or asks back, over the HTTP+JSON binding (A2A 1.0, section 11).
// The caller decides whom to ask, and over which connection: a service binding or HTTP.
import { A2A_PROTOCOL_VERSION, A2A_VERSION_HEADER, type Message } from "@a2a-js/sdk";
import { RestTransportFactory, type Transport } from "@a2a-js/sdk/client";
import { A2AError } from "@a2a-js/sdk/errors";
import { pause } from "../resilience/pause.ts";
import { retryAfterSeconds } from "../http/retry-after.ts";
import { reasonOf } from "../text/reason.ts";
import { ArtifactTexts } from "./artifact-texts.ts";
import { heardFetch } from "./heard-fetch.ts";
import { MAX_ANSWER, outcomeOf, PeerTaskError, PeerUnreachable, type PeerOutcome } from "./peer-outcome.ts";
import { NO_CARD } from "./no-card.ts";
import type { RemoteCard } from "./remote/card.ts";
import { RemoteQuestion } from "./remote/follow.ts";
import { remoteFetch, remoteTransport } from "./remote/transport.ts";
import type { TokenRequest } from "./peer-token.ts";
import { signingFetch } from "./signing-fetch.ts";

export interface PeerConnection {
  readonly fetch: typeof fetch;
  /** The agent's origin. Over a service binding, any origin works. */
  readonly origin: string;
  /** A token for this request alone. */
  readonly sign: (request: TokenRequest) => string;
  readonly traceparent: string;
  /** The agent is one of others: it gets its own token instead of signed ones. */
  readonly remote?: { readonly card: RemoteCard; readonly token: string | undefined };
}

export interface PeerRequest extends PeerConnection {
  /** The peer recognises a repeated message by its id: the same message leads to the same task. */
  readonly message: Message;
  readonly signal: AbortSignal;
  /** Called with the id of the task that the peer opened, before the answer is awaited; again after each reconnect. */
  readonly onTask: (taskId: string) => void;
  /** As onTask, for an agent of others, which may choose ids of its own. `taskId` is empty for a bare message. */
  readonly onRemoteIds?: (taskId: string, contextId: string) => void;
  /** The task of an agent of others that this message has opened before. */
  readonly remoteTask?: string | undefined;
  /** Called each time the peer is busy, before the question is sent again. */
  readonly onBusy: () => void;
  /** Keeps work alive that outlives the call: canceling the task. */
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** Whether the peer may have got the message before; the client then retries for longer. */
  readonly repeated: boolean;
}

const CANCEL_LIMIT_MS = 5_000;
/**
 * How long an unreachable peer is retried, in milliseconds: its supervisor restarts it within three seconds. Longer for
 * a message that the peer may have got, and for a network that is cut, or a host that boots.
 */
const PATIENCE_MS = { first: 4_000, repeated: 10_000, silent: 120_000 };
/**
 * Agents of the job are never silent for more than two seconds (shared/agent/session/event-stream.ts). IdleWatch takes up to half as long
 * again: 15 seconds at most.
 */
const SILENCE_MS = 10_000;
const MAX_UNFINISHED = 10;
/** Longest pause that a busy peer may ask for, in seconds. */
const MAX_BUSY_S = 30;
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2_000;

/**
 * Sends one message and follows the task that it opens or resumes. Reconnects when a connection breaks: the peer
 * recognises the message by its id. Cancels the task when `signal` aborts or the peer stays unreachable. Throws
 * PeerTaskError when the task failed, an A2AError when the peer refused, PeerUnreachable, or the signal's reason.
 */
export async function askPeer(request: PeerRequest): Promise<PeerOutcome> {
  const { signal } = request;
  signal.throwIfAborted();
  const client = await connect(request, request.message.messageId);
  const opened = Promise.withResolvers<string | undefined>();
  const connection = new AbortController();
  const outcome = followWithReconnects(client, { ...request, signal: connection.signal }, (id, contextId) => {
    if (id !== "") opened.resolve(id);
    if (signal.aborted) return;
    if (contextId !== undefined) request.onRemoteIds?.(id, contextId);
    if (id !== "") request.onTask(id);
  });
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([outcome, aborted.promise]);
  } catch (error) {
    // A peer that refused the message has no new task, or works on an earlier one.
    if (signal.aborted || error instanceof PeerUnreachable) request.waitUntil(cancelTask());
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }

  /** Cancels the task also when the peer has not reported its id yet. */
  async function cancelTask(): Promise<void> {
    const limit = setTimeout(() => connection.abort(), CANCEL_LIMIT_MS);
    const none = () => opened.resolve(undefined);
    outcome.then(none, none);
    const id = request.message.taskId || (await opened.promise);
    clearTimeout(limit);
    connection.abort();
    if (id !== undefined) await cancel(client, id);
  }
}

/** Cancels a task of a peer. */
export async function cancelPeerTask(connection: PeerConnection, taskId: string): Promise<void> {
  await cancel(await connect(connection), taskId);
}

interface Client {
  /** Whether the agent is one of others that streams; undefined for an agent of the job. */
  readonly streams: boolean | undefined;
  /** Of an agent of others. */
  readonly tenant: string;
  readonly transport: Transport;
  readonly serviceParameters: Record<string, string>;
  /** HTTP status of the last response; undefined before the first. */
  readonly status: () => number | undefined;
  /** Whether the last connection fell silent. */
  readonly wasSilent: () => boolean;
  /** Seconds until a busy peer may be asked again; undefined when its last response did not say. */
  readonly busyS: () => number | undefined;
}

async function connect(
  { fetch: fetchImpl, origin, sign, traceparent, remote }: PeerConnection,
  messageId?: string,
): Promise<Client> {
  let status: number | undefined;
  let busyS: number | undefined;
  const heard = heardFetch(fetchImpl, SILENCE_MS);
  const signing = remote ? remoteFetch(fetchImpl, remote.token) : signingFetch(heard.fetch, sign, messageId);
  const noticing: typeof fetch = async (input, init) => {
    [status, busyS] = [undefined, undefined];
    const response = await signing(input, init);
    status = response.status;
    if (status === 503 || status === 429) busyS = retryAfterSeconds(response.headers);
    return response;
  };
  const transport = remote
    ? await remoteTransport(noticing, remote.card.interface)
    : await new RestTransportFactory({ fetchImpl: noticing }).create(origin, NO_CARD);
  const version = remote?.card.interface.version ?? A2A_PROTOCOL_VERSION;
  const serviceParameters = { [A2A_VERSION_HEADER]: version, traceparent };
  return {
    streams: remote?.card.streaming,
    tenant: remote?.card.interface.tenant ?? "",
    transport,
    serviceParameters,
    status: () => status,
    wasSilent: heard.wasSilent,
    busyS: () => busyS,
  };
}

/** Follows the task over several connections, with pauses between them. */
async function followWithReconnects(
  client: Client,
  request: PeerRequest,
  onIds: (taskId: string, contextId?: string) => void,
): Promise<PeerOutcome> {
  const { signal } = request;
  const noted = (taskId: string, contextId?: string) => {
    [known, brokenSince, pauseMs] = [true, undefined, FIRST_PAUSE_MS];
    onIds(taskId, contextId);
  };
  const { message, remoteTask: taskId } = request;
  const remote =
    client.streams === undefined
      ? undefined
      : new RemoteQuestion({ ...client, streaming: client.streams }, { message, signal, taskId, onIds: noted });
  let known = request.repeated;
  let brokenSince: number | undefined;
  let unfinished = 0;
  let pauseMs = FIRST_PAUSE_MS;
  for (; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    try {
      return await (remote?.follow() ?? follow(client, request, noted));
    } catch (error) {
      const status = client.status();
      const busyS = client.busyS();
      const refused = status !== undefined && status !== 200 && status < 500 && busyS === undefined;
      // A peer that answers, and breaks off each time, will not be mended by reconnecting.
      if (status === 200) unfinished++;
      if (signal.aborted || refused || error instanceof PeerTaskError) throw error;
      if (remote && busyS === undefined && isRefusal(error)) throw error;
      if (busyS !== undefined) {
        // The peer lives, and takes the question once it has capacity. The asker's signal limits the wait.
        brokenSince = undefined;
        request.onBusy();
        await pause(Math.min(busyS, MAX_BUSY_S) * 1000, signal);
        continue;
      }
      brokenSince ??= Date.now();
      const patienceMs = PATIENCE_MS[!known ? "first" : client.wasSilent() ? "silent" : "repeated"];
      if (unfinished > MAX_UNFINISHED || Date.now() - brokenSince + pauseMs > patienceMs)
        throw new PeerUnreachable(reasonOf(error), { cause: error });
      await pause(pauseMs, signal);
    }
  }
}

/** Over JSON-RPC, and in streams, a refusal comes with status 200. */
function isRefusal(error: unknown): boolean {
  return error instanceof A2AError || (error instanceof Error && error.cause instanceof A2AError);
}

async function follow(
  client: Client,
  { message, signal, waitUntil }: PeerRequest,
  onTask: (taskId: string) => void,
): Promise<PeerOutcome> {
  const { transport, serviceParameters } = client;
  const params = { tenant: "", message, configuration: undefined, metadata: undefined };
  const artifacts = new ArtifactTexts();
  let taskId = "";
  for await (const { payload } of transport.sendMessageStream(params, { signal, serviceParameters })) {
    if (payload?.$case === "task") {
      taskId = payload.value.id;
      artifacts.set(payload.value.artifacts);
      onTask(taskId);
    }
    if (payload?.$case === "artifactUpdate") artifacts.take(payload.value);
    if (artifacts.length > MAX_ANSWER) {
      waitUntil(cancel(client, taskId));
      throw new PeerTaskError(`its answer has more than ${MAX_ANSWER} characters`, undefined);
    }
    const outcome = outcomeOf(payload, taskId, artifacts);
    if (outcome) return outcome;
  }
  throw new Error("the connection ended before its task did");
}

async function cancel({ transport, serviceParameters, tenant }: Client, id: string): Promise<void> {
  const signal = AbortSignal.timeout(CANCEL_LIMIT_MS);
  await transport.cancelTask({ tenant, id, metadata: undefined }, { signal, serviceParameters });
}
