// The running turns of a Session: one at a time a thread, threads side by side.
import { TaskState } from "@a2a-js/sdk";
import type { Step } from "../../loop/step.ts";
import type { TurnResult } from "../../loop/turn.ts";
import { addUsage } from "../../tracing/usage.ts";
import type { LiveTask } from "./live-task.ts";
import type { SessionStore, TaskEnd } from "./store.ts";

/** Runs the turn of one task; given by the Session, which knows tools, model and peers. */
export type RunTask = (live: LiveTask, append: (step: Step) => void) => Promise<TurnResult>;

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
      this.#live.delete(live.id);
      if (this.#tails.get(contextId) === tail) this.#tails.delete(contextId);
    });
    this.#tails.set(contextId, tail);
  }

  async #take(live: LiveTask): Promise<void> {
    let end: TaskEnd;
    if (live.signal.aborted) {
      end = {
        state: TaskState.TASK_STATE_CANCELED,
        answer: null,
        problem: "The task was canceled before its turn began.",
        usage: null,
      };
    } else {
      if (live.row.state !== TaskState.TASK_STATE_WORKING)
        live.update(this.#store.setState(live.row, TaskState.TASK_STATE_WORKING));
      end = await this.#turn(live);
    }
    live.finish(this.#store.endTask(live.row, end));
    this.#onChange(live);
  }

  async #turn(live: LiveTask): Promise<TaskEnd> {
    try {
      const result = await this.#run(live, (step) => this.#store.append(live.row, step));
      const usage = addUsage(result.usage, live.peerUsage);
      if (result.subtype === "success") {
        return { state: TaskState.TASK_STATE_COMPLETED, answer: result.text, problem: null, usage };
      }
      const state = result.subtype === "canceled" ? TaskState.TASK_STATE_CANCELED : TaskState.TASK_STATE_FAILED;
      return { state, answer: null, problem: result.message, usage };
    } catch (error) {
      // A bug of ours: the task must end all the same, and the person must learn of it.
      this.#onBug(live, error);
      const problem = `Internal error: ${error instanceof Error ? error.message : String(error)}`;
      return { state: TaskState.TASK_STATE_FAILED, answer: null, problem, usage: null };
    }
  }
}
