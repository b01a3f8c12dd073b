// The running turns of a Session: one at a time a thread, threads side by side. A turn that waits for answers makes room for the next.
import { TaskState } from "@a2a-js/sdk";
import type { TurnResult, EndedTurn } from "../../../loop/turn.ts";
import type { NoAnswer } from "../../../loop/log/denials.ts";
import { usageOf } from "../../../loop/log/ledger.ts";
import { reasonOf } from "../../../text/reason.ts";
import type { LiveTask } from "../tasks/live-task.ts";
import type { Slot } from "../../slots.ts";
import type { SessionStore } from "../tasks/store.ts";
import type { TaskEnd, TaskRow, TaskResult } from "../tasks/task-row.ts";

/** What a Session lends its turns; it knows tools, model and peers. */
export interface TurnHost {
  /** Leave to work, as soon as the agent has room. Rejects with the reason of the task's signal. */
  slot(live: LiveTask): Promise<Slot>;
  /** Runs the turn of one task, or goes on with it. */
  run(live: LiveTask, slot: Slot): Promise<TurnResult>;
  /** Keeps the object alive until `work` has settled. */
  keepAlive(work: Promise<void>): void;
  /** Says no to all that a suspended task waits for, and sees to it that its transcript is whole. */
  denyAll(row: TaskRow, why: NoAnswer): void;
  changed(live: LiveTask): void;
  bug(live: LiveTask, error: unknown): void;
  /** Nothing can be written: ends this life of the object. */
  storageFailed(error: unknown): void;
}

/** Characters of a problem that are kept: some are what a gateway sent instead of a model's answer. */
const MAX_PROBLEM = 2_000;
const PASSED_OVER = { by: "message", reason: "Nobody answered; the conversation went on without it." } as const;
const CANCELED = { by: "cancel", reason: "The task was canceled." } as const;
const SUPERSEDED = "It waited for an approval, and another message came instead of an answer: that was taken as a no.";

export class Turns {
  readonly #store: SessionStore;
  readonly #host: TurnHost;
  readonly #live = new Map<string, LiveTask>();
  /** Per thread that has a turn waiting or running: the end of its last one, and how many there are. */
  readonly #lines = new Map<string, { tail: Promise<void>; length: number }>();

  constructor(store: SessionStore, host: TurnHost) {
    this.#store = store;
    this.#host = host;
  }

  get(taskId: string): LiveTask | undefined {
    return this.#live.get(taskId);
  }

  /** Whether any turn waits or runs. */
  get isBusy(): boolean {
    return this.#lines.size > 0;
  }

  /** Whether a new message of this thread has to wait in line. */
  isTaken(contextId: string): boolean {
    return this.#lines.has(contextId);
  }

  /** Starts the task's turn now, or when those before it in its thread have ended; goes on with one that was suspended. */
  start(live: LiveTask): void {
    const { contextId } = live.row;
    this.hold(live);
    this.#host.changed(live);
    const line = this.#lines.get(contextId) ?? { tail: undefined, length: 0 };
    const tail = (line.tail ? line.tail.then(() => this.#take(live)) : this.#take(live)).finally(() => {
      const now = this.#lines.get(contextId);
      if (now && --now.length === 0) this.#lines.delete(contextId);
    });
    this.#lines.set(contextId, { tail, length: line.length + 1 });
    // What another object of the agent resolves, such as a slot that becomes free, reaches only objects with work under way.
    this.#host.keepAlive(tail);
  }

  /** Keeps a suspended task at hand for those who watch it. */
  hold(live: LiveTask): void {
    this.#live.set(live.id, live);
  }

  /** Stops the task's turn; one that waits in line or for answers ends at once, whatever the turns before it do. */
  cancel(live: LiveTask): void {
    live.cancel();
    const { state } = live.row;
    if (state === TaskState.TASK_STATE_WORKING) return;
    const suspended = state === TaskState.TASK_STATE_INPUT_REQUIRED;
    if (suspended) this.#host.denyAll(live.row, CANCELED);
    const when = suspended ? "while it waited for an approval" : "before its turn began";
    this.#end(live, this.#canceled(live, `The task was canceled ${when}.`));
  }

  /** Ends a suspended task because another message came in its thread. */
  dismiss(live: LiveTask): void {
    live.cancel();
    this.#host.denyAll(live.row, PASSED_OVER);
    this.#end(live, this.#canceled(live, SUPERSEDED));
  }

  /** Ends a task that cannot be gone on with. */
  fail(live: LiveTask, problem: string): void {
    this.#end(live, { ...this.#canceled(live, problem), state: TaskState.TASK_STATE_FAILED });
  }

  /** Never rejects: those who wait in line have to be served. */
  async #take(live: LiveTask): Promise<void> {
    if (!this.#live.has(live.id)) return;
    const end = await this.#turn(live);
    // It may have been canceled before it began.
    if (!this.#live.has(live.id)) return;
    if (end) this.#end(live, end);
    else this.#host.changed(live);
  }

  #end(live: LiveTask, end: TaskEnd): void {
    this.#live.delete(live.id);
    let row: TaskRow;
    try {
      row = this.#storeEnd(live, { ...end, problem: end.problem?.slice(0, MAX_PROBLEM).toWellFormed() ?? null });
    } catch (error) {
      // Nobody may be told of an end that is not kept: the next life of the object goes on with the task.
      return this.#host.storageFailed(error);
    }
    live.finish(row);
    this.#host.changed(live);
  }

  /** The row with its end, or with the reason why that could not be stored. Throws when nothing can be stored at all. */
  #storeEnd(live: LiveTask, end: TaskEnd): TaskRow {
    try {
      return this.#store.endTask(live.row, end);
    } catch (error) {
      this.#host.bug(live, error);
      const problem = `How the task ended could not be stored: ${reasonOf(error)}`;
      const failed = { state: TaskState.TASK_STATE_FAILED, answer: null, problem, usage: end.usage, result: null };
      return this.#store.endTask(live.row, failed);
    }
  }

  /** How the task ended; undefined where it waits for answers now. */
  async #turn(live: LiveTask): Promise<TaskEnd | undefined> {
    let slot: Slot | undefined;
    try {
      slot = await this.#host.slot(live);
      live.begin();
      if (live.row.state !== TaskState.TASK_STATE_WORKING)
        live.update(this.#store.setState(live.row, TaskState.TASK_STATE_WORKING));
      const result = await this.#host.run(live, slot);
      if (result.subtype !== "suspended") return outcomeOf(result);
      if (this.#isFollowed(live)) {
        this.#host.denyAll(live.row, PASSED_OVER);
        return this.#canceled(live, SUPERSEDED);
      }
      const wakeAt = Math.min(...result.approvals.map(({ expiresAt }) => expiresAt));
      live.suspend(this.#store.setState(live.row, TaskState.TASK_STATE_INPUT_REQUIRED, wakeAt), result.approvals);
      return undefined;
    } catch (error) {
      if (!this.#live.has(live.id)) return undefined;
      if (live.signal.aborted) {
        this.#close(live, CANCELED);
        return this.#canceled(live, CANCELED.reason);
      }
      // A bug of ours, or storage that fails: the task must end all the same, and the person must learn of it.
      this.#host.bug(live, error);
      const problem = `Internal error: ${reasonOf(error)}`;
      this.#close(live, { by: "failure", reason: problem });
      return { state: TaskState.TASK_STATE_FAILED, answer: null, problem, usage: null, result: null };
    } finally {
      slot?.end();
    }
  }

  /** What the turn left waiting, here and at peers, is not left to wait for ever. The task ends whether that succeeds or not. */
  #close(live: LiveTask, why: NoAnswer): void {
    try {
      this.#host.denyAll(live.row, why);
    } catch (error) {
      this.#host.bug(live, error);
    }
  }

  /** Whether messages wait in line behind it, which came without its id. */
  #isFollowed({ row }: LiveTask): boolean {
    return this.#store.hasLater(row);
  }

  #canceled(live: LiveTask, problem: string): TaskEnd {
    const state = TaskState.TASK_STATE_CANCELED;
    return { state, answer: null, problem, usage: usageOf(this.#store.ownSteps(live.row)), result: null };
  }
}

// How a turn's result is stored as the end of its task.

function outcomeOf(ended: EndedTurn): TaskEnd {
  const { subtype, usage, turns, costUsd, denials } = ended;
  const result: TaskResult = {
    subtype,
    num_turns: turns,
    ...(costUsd === undefined ? {} : { total_cost_usd: costUsd }),
    permission_denials: [...denials],
    ...(subtype === "success" && ended.structured !== undefined ? { structured_output: ended.structured } : {}),
  };
  if (subtype === "success")
    return { state: TaskState.TASK_STATE_COMPLETED, answer: ended.text, problem: null, usage, result };
  const state = subtype === "canceled" ? TaskState.TASK_STATE_CANCELED : TaskState.TASK_STATE_FAILED;
  return { state, answer: null, problem: ended.message, usage, result };
}
