// The state of a task as its events tell, over one connection or several. Each connection begins with the whole task.
import { type Artifact, type StreamResponse, type Task, TaskState, type TaskStatus } from "@a2a-js/sdk";
import * as z from "zod";

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
}

export class Progress {
  readonly #listener: Listener;
  readonly #begunAt = Date.now();
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
        this.#add(contentOf(payload.value.artifact), !payload.value.append);
        break;
      case "statusUpdate":
        this.#status = payload.value.status;
        this.#metadata = payload.value.metadata ?? this.#metadata;
        break;
      case "message":
        this.#add(textOfParts(payload.value.parts), true);
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

  #snapshot({ id, contextId, status, metadata, artifacts }: Task): void {
    [this.#taskId, this.#contextId, this.#status, this.#metadata] = [id, contextId, status, metadata];
    this.#listener.onTrace(this.#parsed.traceId);
    const text = artifacts.map(contentOf).join("");
    const isMore = text.startsWith(this.#answer);
    if (isMore && text.length > this.#answer.length) this.#add(text.slice(this.#answer.length), this.#answer === "");
    // The agent began its answer anew.
    else if (!isMore && text !== "") this.#add(text, true);
  }

  #add(text: string, fresh: boolean): void {
    this.#answer = fresh ? text : this.#answer + text;
    this.#listener.onText(text, fresh);
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

/** Text parts unchanged, data parts as JSON: an agent with an output schema answers in data. */
function contentOf(artifact: Artifact | undefined): string {
  const parts = artifact?.parts ?? [];
  const data = parts.map(({ content }) => (content?.$case === "data" ? JSON.stringify(content.value, null, 2) : ""));
  return textOfParts(parts) + data.join("");
}
