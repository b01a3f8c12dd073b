// Asks another agent and follows its task until it ends or asks back, over the HTTP+JSON binding (A2A 1.0, section 11).
// The caller decides whom to ask, and over which connection: a service binding or HTTP.
import {
  A2A_PROTOCOL_VERSION,
  A2A_VERSION_HEADER,
  TaskState,
  taskStateToJSON,
  type Message,
  type StreamResponse,
  type TaskStatus,
} from "@a2a-js/sdk";
import { RestTransportFactory, type Transport } from "@a2a-js/sdk/client";
import * as z from "zod";
import { retryAfterSeconds } from "../http/retry-after.ts";
import { reasonOf } from "../text/reason.ts";
import { Usage } from "../budget/usage.ts";
import { ArtifactTexts } from "./artifact-texts.ts";
import { isTerminal, textOfParts } from "./message.ts";
import type { TokenRequest } from "./peer-token.ts";
import { signingFetch } from "./signing-fetch.ts";

export interface PeerConnection {
  readonly fetch: typeof fetch;
  /** The agent's origin. Over a service binding, any origin works. */
  readonly origin: string;
  /** A token for this request alone. */
  readonly sign: (request: TokenRequest) => string;
  readonly traceparent: string;
}

export interface PeerRequest extends PeerConnection {
  /** The peer recognises a repeated message by its id: the same message leads to the same task. */
  readonly message: Message;
  readonly signal: AbortSignal;
  /** Called with the id of the task that the peer opened, before the answer is awaited; again after each reconnect. */
  readonly onTask: (taskId: string) => void;
  /** Called each time the peer is busy, before the question is sent again. */
  readonly onBusy: () => void;
  /** Keeps work alive that outlives the call: canceling the task. */
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** Whether the peer may have got the message before; the client then retries for longer. */
  readonly repeated: boolean;
}

export type PeerOutcome =
  | {
      readonly is: "answer";
      readonly text: string;
      /** What the peer and the agents that it asked have used; undefined when the peer does not say. */
      readonly usage: Usage | undefined;
    }
  /** The peer waits for input. `data` holds the data parts of its question. */
  | {
      readonly is: "input_required";
      readonly taskId: string;
      readonly text: string;
      readonly data: readonly unknown[];
    };

/** The peer's task ended without an answer; the message says how. */
export class PeerTaskError extends Error {
  override readonly name = "PeerTaskError";
  readonly usage: Usage | undefined;

  constructor(message: string, usage: Usage | undefined) {
    super(message);
    this.usage = usage;
  }
}

/** The peer could not be reached, or each connection broke; the message is the last connection's error. */
export class PeerUnreachable extends Error {}

const CANCEL_LIMIT_MS = 5_000;
/** Characters of an answer. No more than a part of it would reach the model. */
const MAX_ANSWER = 1_000_000;
/**
 * How long an unreachable peer is retried, in milliseconds: its supervisor restarts it within three seconds. Longer for
 * a message that the peer may have got.
 */
const PATIENCE_MS = { first: 4_000, repeated: 10_000 };
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
  const outcome = followWithReconnects(client, { ...request, signal: connection.signal }, (id) => {
    opened.resolve(id);
    if (!signal.aborted) request.onTask(id);
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
  readonly transport: Transport;
  readonly serviceParameters: Record<string, string>;
  /** HTTP status of the last response; undefined before the first. */
  readonly status: () => number | undefined;
  /** Seconds until a busy peer may be asked again; undefined when its last response did not say. */
  readonly busyS: () => number | undefined;
}

async function connect(
  { fetch: fetchImpl, origin, sign, traceparent }: PeerConnection,
  messageId?: string,
): Promise<Client> {
  let status: number | undefined;
  let busyS: number | undefined;
  const signing = signingFetch(fetchImpl, sign, messageId);
  const noticing: typeof fetch = async (input, init) => {
    [status, busyS] = [undefined, undefined];
    const response = await signing(input, init);
    status = response.status;
    if (status === 503 || status === 429) busyS = retryAfterSeconds(response.headers);
    return response;
  };
  const transport = await new RestTransportFactory({ fetchImpl: noticing }).create(origin, NO_CARD);
  const serviceParameters = { [A2A_VERSION_HEADER]: A2A_PROTOCOL_VERSION, traceparent };
  return { transport, serviceParameters, status: () => status, busyS: () => busyS };
}

/** Follows the task over several connections, with pauses between them. */
async function followWithReconnects(
  client: Client,
  request: PeerRequest,
  onTask: (taskId: string) => void,
): Promise<PeerOutcome> {
  const { signal } = request;
  let known = request.repeated;
  let brokenSince: number | undefined;
  let unfinished = 0;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    try {
      return await follow(client, request, (id) => {
        [known, brokenSince, pauseMs] = [true, undefined, FIRST_PAUSE_MS];
        onTask(id);
      });
    } catch (error) {
      const status = client.status();
      const busyS = client.busyS();
      const refused = status !== undefined && status !== 200 && status < 500 && busyS === undefined;
      // A peer that answers, and breaks off each time, will not be mended by reconnecting.
      if (status === 200) unfinished++;
      if (signal.aborted || refused || error instanceof PeerTaskError) throw error;
      if (busyS !== undefined) {
        // The peer lives, and takes the question once it has capacity. The asker's signal limits the wait.
        brokenSince = undefined;
        request.onBusy();
        await pause(Math.min(busyS, MAX_BUSY_S) * 1000, signal);
        continue;
      }
      brokenSince ??= Date.now();
      const patienceMs = known ? PATIENCE_MS.repeated : PATIENCE_MS.first;
      if (unfinished > MAX_UNFINISHED || Date.now() - brokenSince + pauseMs > patienceMs)
        throw new PeerUnreachable(reasonOf(error), { cause: error });
      await pause(pauseMs, signal);
    }
  }
}

/** Resolves after `ms` milliseconds, or when `signal` aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
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

/**
 * The outcome that an event reports; undefined while the task works. Throws PeerTaskError for an end without an answer.
 */
function outcomeOf(
  payload: StreamResponse["payload"],
  taskId: string,
  artifacts: ArtifactTexts,
): PeerOutcome | undefined {
  if (payload?.$case !== "task" && payload?.$case !== "statusUpdate") return undefined;
  const { status, metadata } = payload.value;
  const state = status?.state ?? TaskState.TASK_STATE_UNSPECIFIED;
  const usage = Usage.safeParse(metadata?.["usage"]).data;
  if (state === TaskState.TASK_STATE_COMPLETED) return { is: "answer", text: artifacts.text, usage };
  const said = textOfParts(status?.message?.parts);
  if (state === TaskState.TASK_STATE_INPUT_REQUIRED)
    return { is: "input_required", taskId, text: said, data: dataOf(status) };
  if (!isTerminal(state)) return undefined;
  throw new PeerTaskError(`its task ended as ${taskStateToJSON(state)}${said ? `: ${said}` : ""}`, usage);
}

function dataOf(status: TaskStatus | undefined): readonly unknown[] {
  const Data = z.looseObject({}).optional();
  return (status?.message?.parts ?? [])
    .map(({ content }) => (content?.$case === "data" ? Data.safeParse(content.value).data : undefined))
    .filter((data) => data !== undefined);
}

async function cancel({ transport, serviceParameters }: Client, id: string): Promise<void> {
  const signal = AbortSignal.timeout(CANCEL_LIMIT_MS);
  await transport.cancelTask({ tenant: "", id, metadata: undefined }, { signal, serviceParameters });
}

/** The transport is given, so the client reads nothing of a card. */
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
