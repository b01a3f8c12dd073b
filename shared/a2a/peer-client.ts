// Asks another agent and follows its task until it ends or asks back, over the HTTP+JSON binding (A2A 1.0, section 11).
// Which connection that is (a service binding, or HTTP) and who may be asked is the caller's affair.
import {
  A2A_PROTOCOL_VERSION,
  A2A_VERSION_HEADER,
  TaskState,
  taskStateToJSON,
  type Message,
  type StreamResponse,
  type Task,
  type TaskStatus,
} from "@a2a-js/sdk";
import { RestTransportFactory, type Transport } from "@a2a-js/sdk/client";
import * as z from "zod";
import { retryAfterSeconds } from "../http/retry-after.ts";
import { reasonOf } from "../text/reason.ts";
import { Usage } from "../budget/usage.ts";
import { isTerminal, textOfParts } from "./message.ts";

export interface PeerConnection {
  readonly fetch: typeof fetch;
  /** The agent's origin; over a binding any origin will do. */
  readonly origin: string;
  readonly token: string;
  readonly traceparent: string;
}

export interface PeerRequest extends PeerConnection {
  /** Its id is what the peer knows a repetition by: the same message may be sent again, and leads to the same task. */
  readonly message: Message;
  readonly signal: AbortSignal;
  /**
   * Called with the id of the task that the peer opened, before its answer is awaited; again after each time the
   * connection broke.
   */
  readonly onTask: (taskId: string) => void;
  /** Called each time the peer has no room for the question, which then is put again. */
  readonly onBusy: () => void;
  /** Keeps work alive that outlives the call: telling the peer to stop. */
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** Whether the message may have reached the peer before: then it is waited for longer. */
  readonly repeated: boolean;
}

export type PeerOutcome =
  | {
      readonly is: "answer";
      readonly text: string;
      /** What the peer and those it asked have used, where it says so. */
      readonly usage: Usage | undefined;
    }
  /** The peer waits for input; `data` is what the data parts of its question hold. */
  | {
      readonly is: "input_required";
      readonly taskId: string;
      readonly text: string;
      readonly data: readonly unknown[];
    };

/** The peer's task came to its end without an answer; the message says how. */
export class PeerTaskError extends Error {
  override readonly name = "PeerTaskError";
  readonly usage: Usage | undefined;

  constructor(message: string, usage: Usage | undefined) {
    super(message);
    this.usage = usage;
  }
}

/** The peer could not be reached, or broke off each time; the message is what the connection said. */
export class PeerUnreachable extends Error {}

const CANCEL_LIMIT_MS = 5_000;
/** Characters of an answer that are waited for; no more than a part of them would reach the model. */
const MAX_ANSWER = 1_000_000;
/**
 * How long a peer is tried again that cannot be reached, in milliseconds: its supervisor brings it back within three
 * seconds, and it may have taken a message of which nothing was heard.
 */
const PATIENCE_MS = { first: 4_000, repeated: 10_000 };
const MAX_UNFINISHED = 10;
/** Longest wait that a peer without room may ask for, in seconds. */
const MAX_BUSY_S = 30;
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2_000;

/**
 * Sends one message and follows the task that it opens or goes on with. A connection that breaks is made again: the
 * peer knows the message by its id. When `signal` aborts, or the peer cannot be reached any more, it is told to cancel
 * the task. Throws PeerTaskError when the task failed, an A2AError when the peer refused, PeerUnreachable, or the
 * signal's reason.
 */
export async function askPeer(request: PeerRequest): Promise<PeerOutcome> {
  const { signal } = request;
  signal.throwIfAborted();
  const line = await connect(request);
  const opened = Promise.withResolvers<string | undefined>();
  const connection = new AbortController();
  const outcome = persist(line, { ...request, signal: connection.signal }, (id) => {
    opened.resolve(id);
    if (!signal.aborted) request.onTask(id);
  });
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([outcome, aborted.promise]);
  } catch (error) {
    // A peer that refused the message has nothing to give up, or works on what it had before.
    if (signal.aborted || error instanceof PeerUnreachable) request.waitUntil(giveUp());
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }

  /** A peer that was asked has a task to cancel even if it has not said yet which one that is. */
  async function giveUp(): Promise<void> {
    const limit = setTimeout(() => connection.abort(), CANCEL_LIMIT_MS);
    const none = () => opened.resolve(undefined);
    outcome.then(none, none);
    const id = request.message.taskId || (await opened.promise);
    clearTimeout(limit);
    connection.abort();
    if (id !== undefined) await cancel(line, id);
  }
}

/** Tells a peer to cancel a task of its. */
export async function cancelPeerTask(connection: PeerConnection, taskId: string): Promise<void> {
  await cancel(await connect(connection), taskId);
}

interface Line {
  readonly transport: Transport;
  readonly serviceParameters: Record<string, string>;
  /** HTTP status of the last response; undefined while there has been none. */
  readonly status: () => number | undefined;
  /**
   * Seconds after which a peer that has no room is to be asked again; undefined where its last response said nothing of
   * that.
   */
  readonly busyS: () => number | undefined;
}

async function connect({ fetch: fetchImpl, origin, token, traceparent }: PeerConnection): Promise<Line> {
  let status: number | undefined;
  let busyS: number | undefined;
  // A peer that points elsewhere is not followed: the token is for it alone.
  const noticing: typeof fetch = async (input, init) => {
    [status, busyS] = [undefined, undefined];
    const response = await fetchImpl(input, { ...init, redirect: "manual" });
    status = response.status;
    if (status === 503) busyS = retryAfterSeconds(response.headers);
    return response;
  };
  const transport = await new RestTransportFactory({ fetchImpl: noticing }).create(origin, NO_CARD);
  const serviceParameters = {
    [A2A_VERSION_HEADER]: A2A_PROTOCOL_VERSION,
    Authorization: `Bearer ${token}`,
    traceparent,
  };
  return { transport, serviceParameters, status: () => status, busyS: () => busyS };
}

/** Follows the task over as many connections as it takes. */
async function persist(line: Line, request: PeerRequest, onTask: (taskId: string) => void): Promise<PeerOutcome> {
  const { signal } = request;
  let known = request.repeated;
  let brokenSince: number | undefined;
  let unfinished = 0;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    try {
      return await follow(line, request, (id) => {
        [known, brokenSince, pauseMs] = [true, undefined, FIRST_PAUSE_MS];
        onTask(id);
      });
    } catch (error) {
      const status = line.status();
      const refused = status !== undefined && status !== 200 && status < 500;
      // One that answers, and breaks off each time, has no connection that could be mended.
      if (status === 200) unfinished++;
      if (signal.aborted || refused || error instanceof PeerTaskError) throw error;
      const busyS = line.busyS();
      if (busyS !== undefined) {
        // It is there, and takes the question as soon as it has room. How long that is worth waiting for is the asker's
        // to say.
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

/** Ends early when `signal` aborts. */
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
  line: Line,
  { message, signal, waitUntil }: PeerRequest,
  onTask: (taskId: string) => void,
): Promise<PeerOutcome> {
  const { transport, serviceParameters } = line;
  const params = { tenant: "", message, configuration: undefined, metadata: undefined };
  let answer = "";
  let taskId = "";
  for await (const { payload } of transport.sendMessageStream(params, { signal, serviceParameters })) {
    if (payload?.$case === "task") {
      taskId = payload.value.id;
      answer = answerOf(payload.value);
      onTask(taskId);
    }
    if (payload?.$case === "artifactUpdate") {
      const chunk = textOfAnswer(payload.value.artifact?.parts);
      answer = payload.value.append ? answer + chunk : chunk;
    }
    if (answer.length > MAX_ANSWER) {
      waitUntil(cancel(line, taskId));
      throw new PeerTaskError(`its answer has more than ${MAX_ANSWER} characters`, undefined);
    }
    const outcome = outcomeOf(payload, taskId, answer);
    if (outcome) return outcome;
  }
  throw new Error("the connection ended before its task did");
}

/** What an event says of the task's end; undefined while it goes on. Throws PeerTaskError for one without an answer. */
function outcomeOf(payload: StreamResponse["payload"], taskId: string, answer: string): PeerOutcome | undefined {
  if (payload?.$case !== "task" && payload?.$case !== "statusUpdate") return undefined;
  const { status, metadata } = payload.value;
  const state = status?.state ?? TaskState.TASK_STATE_UNSPECIFIED;
  const usage = Usage.safeParse(metadata?.["usage"]).data;
  if (state === TaskState.TASK_STATE_COMPLETED) return { is: "answer", text: answer, usage };
  const said = textOfParts(status?.message?.parts);
  if (state === TaskState.TASK_STATE_INPUT_REQUIRED)
    return { is: "input_required", taskId, text: said, data: dataOf(status) };
  if (!isTerminal(state)) return undefined;
  throw new PeerTaskError(`its task ended as ${taskStateToJSON(state)}${said ? `: ${said}` : ""}`, usage);
}

function answerOf({ artifacts }: Task): string {
  return artifacts.map(({ parts }) => textOfAnswer(parts)).join("");
}

/** Text parts as they are, data parts as JSON: an agent with an output schema answers in data. */
function textOfAnswer(parts: Message["parts"] = []): string {
  const data = parts.map(({ content }) => (content?.$case === "data" ? JSON.stringify(content.value) : ""));
  return textOfParts(parts) + data.join("");
}

function dataOf(status: TaskStatus | undefined): readonly unknown[] {
  const Data = z.looseObject({}).optional();
  return (status?.message?.parts ?? [])
    .map(({ content }) => (content?.$case === "data" ? Data.safeParse(content.value).data : undefined))
    .filter((data) => data !== undefined);
}

async function cancel({ transport, serviceParameters }: Line, id: string): Promise<void> {
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
