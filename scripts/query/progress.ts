// The state of a task as its events tell, over one connection or several. Each connection begins with the whole task.
import {
  type Message,
  type StreamResponse,
  type Task,
  type TaskArtifactUpdateEvent,
  TaskState,
  type TaskStatus,
} from "@a2a-js/sdk";
import * as z from "zod";

import { ArtifactTexts } from "#shared/a2a/artifact-texts.ts";
import { isTerminal, nameOfState, textOfParts } from "#shared/a2a/message.ts";
import { type Approval, ApprovalsAsked } from "#shared/loop/log/approval.ts";
import { Usage } from "#shared/budget/usage.ts";

const Metadata = z.object({ traceId: z.optional(z.string()), usage: z.optional(Usage) });

export interface Answer {
  readonly answer: string;
  readonly contextId: string;
  readonly taskId: string;
  /** As A2A names it, without prefix: completed, failed, canceled, input-required … */
  readonly state: string;
  /** The agent's message on this state; the reason of a failure. */
  readonly reason: string;
  /** Approvals that the task waits for; empty unless it is input-required. */
  readonly approvals: readonly Approval[];
  readonly traceId: string | null;
  readonly usage: Usage | null;
  readonly durationMs: number;
}

export interface Listener {
  /** A piece of the answer. `fresh`: it replaces all earlier pieces. */
  onText(text: string, fresh: boolean): void;
  /** The id of the task's trace; undefined where the agent does not tell it. */
  onTrace(traceId: string | undefined): void;
  /** The id of the session, once the agent has taken the message. */
  onSession?(contextId: string): void;
}

export class Progress {
  readonly #listener: Listener;
  readonly #begunAt = Date.now();
  readonly #artifacts = new ArtifactTexts(2);
  #answer: string;
  #contextId = "";
  #taskId: string;
  #status: TaskStatus | undefined;
  #metadata: unknown;

  /** `shown`: the part of the answer that an earlier request has shown. */
  constructor(listener: Listener, { taskId = "", shown = "" }: { readonly taskId?: string; readonly shown?: string }) {
    this.#listener = listener;
    this.#taskId = taskId;
    this.#answer = shown;
  }

  /** Empty until the agent has sent it. */
  get taskId(): string {
    return this.#taskId;
  }

  /** Whether the task has ended, or waits for answers. A task with an expired approval continues by itself. */
  get isAtRest(): boolean {
    const now = Date.now();
    return isTerminal(this.#state) || (this.#waits && this.#approvals.every(({ expiresAt }) => expiresAt > now));
  }

  take({ payload }: StreamResponse): void {
    switch (payload?.$case) {
      case "task":
        this.#snapshot(payload.value);
        break;
      case "artifactUpdate":
        this.#update(payload.value);
        break;
      case "statusUpdate":
        this.#status = payload.value.status;
        this.#metadata = payload.value.metadata ?? this.#metadata;
        break;
      case "message":
        this.#answered(payload.value);
        break;
      case undefined:
        break;
    }
  }

  result(): Answer {
    const { traceId = null, usage = null } = this.#parsed;
    return {
      answer: this.#answer,
      contextId: this.#contextId,
      taskId: this.#taskId,
      state: nameOfState(this.#state),
      reason: textOfParts(this.#status?.message?.parts),
      approvals: this.#waits ? this.#approvals : [],
      traceId,
      usage,
      durationMs: Date.now() - this.#begunAt,
    };
  }

  /** A message instead of a task is the whole answer (A2A 1.0, section 3.1.1). */
  #answered({ contextId, taskId, parts }: Message): void {
    [this.#contextId, this.#taskId] = [contextId, taskId];
    this.#status = { state: TaskState.TASK_STATE_COMPLETED, message: undefined, timestamp: undefined };
    this.#listener.onSession?.(contextId);
    this.#listener.onTrace(undefined);
    this.#show(textOfParts(parts), true);
  }

  #snapshot({ id, contextId, status, metadata, artifacts }: Task): void {
    [this.#taskId, this.#contextId, this.#status, this.#metadata] = [id, contextId, status, metadata];
    this.#listener.onSession?.(contextId);
    this.#listener.onTrace(this.#parsed.traceId);
    this.#artifacts.set(artifacts);
    this.#show(this.#artifacts.text, false);
  }

  #update(event: TaskArtifactUpdateEvent): void {
    const piece = this.#artifacts.take(event);
    if (piece === undefined) return this.#show(this.#artifacts.text, !event.append);
    this.#answer += piece;
    this.#listener.onText(piece, false);
  }

  /** Tells the listener what is new in the text. `replaces`: it may withdraw what was there. */
  #show(text: string, replaces: boolean): void {
    const known = this.#answer;
    if (text === known || (text === "" && !replaces)) return;
    const isMore = text.startsWith(known);
    this.#answer = text;
    this.#listener.onText(isMore ? text.slice(known.length) : text, known === "" || !isMore);
  }

  get #state(): TaskState {
    return this.#status?.state ?? TaskState.TASK_STATE_UNSPECIFIED;
  }

  get #waits(): boolean {
    return this.#state === TaskState.TASK_STATE_INPUT_REQUIRED;
  }

  get #approvals(): readonly Approval[] {
    const parts = this.#status?.message?.parts ?? [];
    return parts.flatMap(({ content }) =>
      content?.$case === "data" ? (ApprovalsAsked.safeParse(content.value).data?.approvals ?? []) : [],
    );
  }

  get #parsed(): z.infer<typeof Metadata> {
    return Metadata.safeParse(this.#metadata ?? {}).data ?? {};
  }
}
