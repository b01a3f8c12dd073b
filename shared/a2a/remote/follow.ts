// Asks an agent of others: it may answer with a task, or with a bare message; may stream, or be polled; and may not know a message that is
// sent again. So once its task is known, a broken connection leads to that task, and never to another message.
import { TaskState, type Message, type StreamResponse, type Task } from "@a2a-js/sdk";
import type { Transport } from "@a2a-js/sdk/client";
import { foreignWords } from "../../text/foreign-words.ts";
import { pause } from "../../resilience/pause.ts";
import { ArtifactTexts } from "../artifact-texts.ts";
import { isTerminal, plainTextOf } from "../message.ts";
import { MAX_ANSWER, outcomeOf, PeerTaskError, type PeerOutcome } from "../peer-outcome.ts";

/** Characters of what it says beside its answers, and of an id of its. */
const MAX_SAID = 2_000;
const MAX_ID = 500;
/** Characters of the data with which it asks back. */
const MAX_DATA = 200_000;
const FIRST_POLL_MS = 500;
const MAX_POLL_MS = 5_000;

export interface RemoteEnd {
  readonly transport: Transport;
  readonly serviceParameters: Record<string, string>;
  readonly streaming: boolean;
  readonly tenant: string;
}

interface Followed {
  readonly message: Message;
  readonly signal: AbortSignal;
  /** Its task is known from before. */
  readonly taskId: string | undefined;
  /** Called with each new pair of ids; `taskId` is empty for a bare message. */
  readonly onIds: (taskId: string, contextId: string) => void;
}

/** One question over several connections. */
export class RemoteQuestion {
  readonly #end: RemoteEnd;
  readonly #question: Followed;
  readonly #artifacts = new ArtifactTexts();
  #taskId: string;
  #contextId = "";
  /** The ids that were told last. */
  #told = "";

  constructor(end: RemoteEnd, question: Followed) {
    this.#end = end;
    this.#question = question;
    this.#taskId = question.taskId ?? "";
  }

  /** Sends the message, or goes on with its task. Throws PeerTaskError, A2AError, or that of a broken connection. */
  async follow(): Promise<PeerOutcome> {
    this.#told = "";
    try {
      return bounded(await (this.#taskId === "" ? this.#send() : this.#resume()));
    } catch (error) {
      if (error instanceof PeerTaskError) throw new PeerTaskError(foreignWords(error.message, MAX_SAID), undefined);
      throw error;
    }
  }

  async #send(): Promise<PeerOutcome> {
    const { transport, streaming } = this.#end;
    const { message } = this.#question;
    const params = { tenant: this.#end.tenant, message, configuration: undefined, metadata: undefined };
    if (streaming) return this.#read(transport.sendMessageStream(params, this.#options()));
    const configuration = { acceptedOutputModes: [], taskPushNotificationConfig: undefined, returnImmediately: true };
    const result = await transport.sendMessage({ ...params, configuration }, this.#options());
    const outcome = this.#take(
      "messageId" in result ? { $case: "message", value: result } : { $case: "task", value: result },
    );
    return outcome ?? this.#poll();
  }

  async #resume(): Promise<PeerOutcome> {
    const { transport, streaming } = this.#end;
    const outcome = this.#take({ $case: "task", value: await this.#getTask() });
    if (outcome) return outcome;
    if (!streaming) return this.#poll();
    const params = { tenant: this.#end.tenant, id: this.#taskId };
    return this.#read(transport.resubscribeTask(params, this.#options()));
  }

  async #read(events: AsyncIterable<StreamResponse>): Promise<PeerOutcome> {
    for await (const { payload } of events) {
      const outcome = this.#take(payload);
      if (outcome) return outcome;
    }
    // Some end their streams before their tasks.
    if (this.#taskId === "") throw new Error("the connection ended before its task did");
    return this.#poll();
  }

  async #poll(): Promise<PeerOutcome> {
    const { signal } = this.#question;
    for (let pauseMs = FIRST_POLL_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_POLL_MS)) {
      await pause(pauseMs, signal);
      signal.throwIfAborted();
      const outcome = this.#take({ $case: "task", value: await this.#getTask() });
      if (outcome) return outcome;
    }
  }

  async #getTask(): Promise<Task> {
    return this.#end.transport.getTask(
      { tenant: this.#end.tenant, id: this.#taskId, historyLength: 0 },
      this.#options(),
    );
  }

  #options() {
    return { signal: this.#question.signal, serviceParameters: this.#end.serviceParameters };
  }

  /** The outcome that an event reports; undefined while the task works. */
  #take(payload: StreamResponse["payload"]): PeerOutcome | undefined {
    switch (payload?.$case) {
      case "message":
        this.#note("", payload.value.contextId);
        return { is: "answer", text: plainTextOf(payload.value), usage: undefined };
      case "task":
        this.#note(payload.value.id, payload.value.contextId);
        this.#artifacts.set(payload.value.artifacts);
        break;
      case "artifactUpdate":
        this.#note(payload.value.taskId, payload.value.contextId);
        this.#artifacts.take(payload.value);
        break;
      case "statusUpdate":
        this.#note(payload.value.taskId, payload.value.contextId);
        break;
      case undefined:
        return undefined;
    }
    if (this.#artifacts.length > MAX_ANSWER)
      throw new PeerTaskError(`its answer has more than ${MAX_ANSWER} characters`, undefined);
    if (payload.$case === "artifactUpdate") return undefined;
    const { status } = payload.value;
    if (status?.state === TaskState.TASK_STATE_AUTH_REQUIRED)
      throw new PeerTaskError("its task waits for credentials, which nobody here can give", undefined);
    const outcome = outcomeOf(payload, this.#taskId, this.#artifacts);
    // Some answer in the message of the last status alone.
    if (outcome?.is === "answer" && outcome.text === "" && status?.message && isTerminal(status.state))
      return { ...outcome, text: plainTextOf(status.message) };
    return outcome;
  }

  #note(taskId: string, contextId: string): void {
    if (taskId.length > MAX_ID || contextId.length > MAX_ID)
      throw new PeerTaskError(`its ids have more than ${MAX_ID} characters`, undefined);
    if (taskId !== "") this.#taskId = taskId;
    if (contextId !== "") this.#contextId = contextId;
    const ids = `${taskId} ${this.#contextId}`;
    if (ids !== this.#told) this.#question.onIds(taskId, this.#contextId);
    this.#told = ids;
  }
}

/** What it says it has used counts for nothing here. */
function bounded(outcome: PeerOutcome): PeerOutcome {
  if (outcome.is === "answer") return { ...outcome, text: foreignWords(outcome.text, MAX_ANSWER), usage: undefined };
  const isLong = JSON.stringify(outcome.data).length > MAX_DATA;
  return { ...outcome, text: foreignWords(outcome.text, MAX_SAID), data: isLong ? [] : outcome.data };
}
