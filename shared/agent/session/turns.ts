// The running turns of a Session: one at a time a thread, threads side by side.
import { TaskState } from "@a2a-js/sdk";
import type { Step } from "../../loop/step.ts";
import type { TurnResult } from "../../loop/turn.ts";
import { addUsage } from "../../tracing/usage.ts";
import { reasonOf } from "../../tracing/reason.ts";
import type { LiveTask } from "./live-task.ts";
import type { SessionStore, TaskEnd, TaskRow } from "./store.ts";

/** Runs the turn of one task; given by the Session, which knows tools, model and peers. */
export type RunTask = (live: LiveTask, append: (step: Step) => void) => Promise<TurnResult>;

/** Characters of a problem that are kept: some are what a gateway sent instead of a model's answer. */
const MAX_PROBLEM = 2_000;

export class Turns {
  readonly #store: SessionStore;
  readonly #run: RunTask;
  readonly #onChange: (live: LiveTask) => void;
  readonly #onBug: (live: LiveTask, error: unknown) => void;
  readonly #live = new Map<string, LiveTask>();
  /** The end of the last turn of each thread that has one waiting or running. */
  readonly #tails = new Map<string, Promise<void>>();

  constructor(
    store: SessionStore,
    run: RunTask,
    onChange: (live: LiveTask) => void,
    onBug: (live: LiveTask, error: unknown) => void,
  ) {
    this.#store = store;
    this.#run = run;
    this.#onChange = onChange;
    this.#onBug = onBug;
  }

  get(taskId: string): LiveTask | undefined {
    return this.#live.get(taskId);
  }

  /** Whether a new message of this thread has to wait in line. */
  isBusy(contextId: string): boolean {
    return this.#tails.has(contextId);
  }

  /** Starts the task's turn now, or when those before it in its thread have ended. */
  start(live: LiveTask): void {
    const { contextId } = live.row;
    this.#live.set(live.id, live);
    this.#onChange(live);
    const before = this.#tails.get(contextId);
    const tail = (before ? before.then(() => this.#take(live)) : this.#take(live)).finally(() => {
      if (this.#tails.get(contextId) === tail) this.#tails.delete(contextId);
    });
    this.#tails.set(contextId, tail);
  }

  /** Stops the task's turn; one that still waits in line ends at once, whatever the turns before it do. */
  cancel(live: LiveTask): void {
    live.cancel();
    if (live.row.state !== TaskState.TASK_STATE_SUBMITTED) return;
    const problem = "The task was canceled before its turn began.";
    this.#end(live, { state: TaskState.TASK_STATE_CANCELED, answer: null, problem, usage: null });
  }

  /** Never rejects: those who wait in line have to be served. */
  async #take(live: LiveTask): Promise<void> {
    if (this.#live.has(live.id)) this.#end(live, await this.#turn(live));
  }

  #end(live: LiveTask, end: TaskEnd): void {
    this.#live.delete(live.id);
    live.finish(this.#storeEnd(live, { ...end, problem: end.problem?.slice(0, MAX_PROBLEM).toWellFormed() ?? null }));
    this.#onChange(live);
  }

  /** The row with its end, or with the reason why that could not be stored. Whoever waits for the task learns of its end either way. */
  #storeEnd(live: LiveTask, end: TaskEnd): TaskRow {
    try {
      return this.#store.endTask(live.row, end);
    } catch (error) {
      this.#onBug(live, error);
      const problem = `How the task ended could not be stored: ${reasonOf(error)}`;
      const failed = { state: TaskState.TASK_STATE_FAILED, answer: null, problem, usage: end.usage };
      try {
        return this.#store.endTask(live.row, failed);
      } catch {
        return { ...live.row, ...failed }; // the storage itself is at fault: the next isolate finds the task interrupted
      }
    }
  }

  async #turn(live: LiveTask): Promise<TaskEnd> {
    try {
      if (live.row.state !== TaskState.TASK_STATE_WORKING)
        live.update(this.#store.setState(live.row, TaskState.TASK_STATE_WORKING));
      const result = await this.#run(live, (step) => this.#store.append(live.row, step));
      const usage = addUsage(result.usage, live.peerUsage);
      if (result.subtype === "success") {
        return { state: TaskState.TASK_STATE_COMPLETED, answer: result.text, problem: null, usage };
      }
      const state = result.subtype === "canceled" ? TaskState.TASK_STATE_CANCELED : TaskState.TASK_STATE_FAILED;
      return { state, answer: null, problem: result.message, usage };
    } catch (error) {
      if (live.signal.aborted) {
        const problem = "The task was canceled.";
        return { state: TaskState.TASK_STATE_CANCELED, answer: null, problem, usage: live.peerUsage };
      }
      // A bug of ours: the task must end all the same, and the person must learn of it.
      this.#onBug(live, error);
      const problem = `Internal error: ${reasonOf(error)}`;
      return { state: TaskState.TASK_STATE_FAILED, answer: null, problem, usage: null };
    }
  }
}
