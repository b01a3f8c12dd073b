// Runs the turns of a Session: one at a time in a thread, threads side by side. A suspended turn makes room for the next.
import { TaskState } from "@a2a-js/sdk";
import type { TurnResult, EndedTurn } from "../../../loop/turn.ts";
import type { NoAnswer } from "../../../loop/log/denials.ts";
import { usageOf } from "../../../loop/log/ledger.ts";
import { reasonOf } from "../../../text/reason.ts";
import type { LiveTask } from "../tasks/live-task.ts";
import type { Slot } from "../../slots.ts";
import type { Approvals } from "../approvals/approvals.ts";
import { nextTurnTrace } from "../tasks/task-trace.ts";
import type { Tasks } from "../tasks/tasks.ts";
import type { TaskEnd, TaskResult } from "../tasks/task-row.ts";

/** Runs the turns of tasks; a Session's is TurnRunner. */
export interface Runner {
  /** Waits until the agent has room. Rejects with the reason of the task's signal. */
  slot(live: LiveTask): Promise<Slot>;
  /** Runs or resumes the turn of one task. */
  run(live: LiveTask, slot: Slot): Promise<TurnResult>;
}

const PASSED_OVER = { by: "message", reason: "Nobody answered; the conversation went on without it." } as const;
const CANCELED = { by: "cancel", reason: "The task was canceled." } as const;
const SUPERSEDED = "It waited for an answer, and another message came instead: that was taken as a no.";

export class Turns {
  readonly #tasks: Tasks;
  readonly #approvals: Pick<Approvals, "denyAll">;
  readonly #runner: Runner;
  /** Threads with waiting or running turns: the end of the last turn, and their number. */
  readonly #lines = new Map<string, { tail: Promise<void>; length: number }>();

  constructor(tasks: Tasks, approvals: Pick<Approvals, "denyAll">, runner: Runner) {
    this.#tasks = tasks;
    this.#approvals = approvals;
    this.#runner = runner;
  }

  /** Whether any turn waits or runs. */
  get isBusy(): boolean {
    return this.#lines.size > 0;
  }

  /** Resolves when no turn waits or runs. */
  async whenIdle(): Promise<void> {
    while (this.isBusy) await Promise.all([...this.#lines.values()].map(({ tail }) => tail));
  }

  /** Turns of this thread that wait or run. A new message has to wait for them. */
  ahead(contextId: string): number {
    return this.#lines.get(contextId)?.length ?? 0;
  }

  /** Starts the task's turn, once the turns before it in its thread have ended. */
  start(live: LiveTask): void {
    const { contextId } = live.row;
    this.#tasks.hold(live);
    this.#tasks.changed(live);
    const line = this.#lines.get(contextId) ?? { tail: undefined, length: 0 };
    const tail = (line.tail ? line.tail.then(() => this.#take(live)) : this.#take(live)).finally(() => {
      const now = this.#lines.get(contextId);
      if (now && --now.length === 0) this.#lines.delete(contextId);
      if (!this.isBusy) this.#tasks.idle();
    });
    this.#lines.set(contextId, { tail, length: line.length + 1 });
    // A promise that another object resolves, such as that of a free slot, reaches only objects with work under way.
    this.#tasks.keepAlive(tail);
  }

  /** Resumes a turn that was suspended: its answers are in the log. */
  resume(live: LiveTask): void {
    const { row } = live;
    const { store } = this.#tasks;
    live.resume();
    // The query's account knows each life by its number.
    const life = { ...row.life, n: row.life.n + 1 };
    const next = row.trace ? store.setLife(row, life, nextTurnTrace(row.trace)) : row;
    live.update(store.setState(next, TaskState.TASK_STATE_WORKING));
    this.start(live);
  }

  /** Cancels the task. A turn that waits ends at once, whatever the turns before it do. */
  cancel(live: LiveTask): void {
    live.cancel();
    const { state } = live.row;
    if (state === TaskState.TASK_STATE_WORKING) return;
    const suspended = state === TaskState.TASK_STATE_INPUT_REQUIRED;
    if (suspended) this.#approvals.denyAll(live.row, CANCELED);
    const when = suspended ? "while it waited for an answer" : "before its turn began";
    this.#tasks.end(live, this.#canceled(live, `The task was canceled ${when}.`));
  }

  /** Ends a suspended task because another message came in its thread. */
  dismiss(live: LiveTask): void {
    live.cancel();
    this.#approvals.denyAll(live.row, PASSED_OVER);
    this.#tasks.end(live, this.#canceled(live, SUPERSEDED));
  }

  /** Fails a task that cannot resume. */
  fail(live: LiveTask, problem: string): void {
    this.#tasks.end(live, { ...this.#canceled(live, problem), state: TaskState.TASK_STATE_FAILED });
  }

  /** Never rejects, because the turns behind it have to run. */
  async #take(live: LiveTask): Promise<void> {
    if (!this.#tasks.has(live)) return;
    const end = await this.#turn(live);
    // It may have been canceled before it began.
    if (!this.#tasks.has(live)) return;
    if (end) this.#tasks.end(live, end);
    else this.#tasks.changed(live);
  }

  /** How the task ended; undefined where it is suspended. */
  async #turn(live: LiveTask): Promise<TaskEnd | undefined> {
    let slot: Slot | undefined;
    try {
      slot = await this.#runner.slot(live);
      live.begin();
      if (live.row.state !== TaskState.TASK_STATE_WORKING)
        live.update(this.#tasks.store.setState(live.row, TaskState.TASK_STATE_WORKING));
      const result = await this.#runner.run(live, slot);
      if (result.subtype !== "suspended") return outcomeOf(result);
      if (this.#isFollowed(live)) {
        this.#approvals.denyAll(live.row, PASSED_OVER);
        return this.#canceled(live, SUPERSEDED);
      }
      const { approvals, question } = result;
      const wakeAt = Math.min(...[...approvals, ...(question ? [question] : [])].map(({ expiresAt }) => expiresAt));
      const row = this.#tasks.store.setState(live.row, TaskState.TASK_STATE_INPUT_REQUIRED, wakeAt);
      live.suspend(row, approvals, question);
      return undefined;
    } catch (error) {
      if (!this.#tasks.has(live)) return undefined;
      if (live.signal.aborted) {
        this.#close(live, CANCELED);
        return this.#canceled(live, CANCELED.reason);
      }
      // A bug of ours, or storage that fails: the task must end, and the person must learn of it.
      this.#tasks.bug(live, error);
      const problem = `Internal error: ${reasonOf(error)}`;
      this.#close(live, { by: "failure", reason: problem });
      return { state: TaskState.TASK_STATE_FAILED, answer: null, problem, usage: null, result: null };
    } finally {
      slot?.end();
    }
  }

  /** Denies what the turn left waiting, here and at peers. The task ends even where that fails. */
  #close(live: LiveTask, why: NoAnswer): void {
    try {
      this.#approvals.denyAll(live.row, why);
    } catch (error) {
      this.#tasks.bug(live, error);
    }
  }

  /** Whether messages of the thread that came without the task's id wait behind it. */
  #isFollowed({ row }: LiveTask): boolean {
    return this.#tasks.store.hasLater(row);
  }

  #canceled(live: LiveTask, problem: string): TaskEnd {
    const state = TaskState.TASK_STATE_CANCELED;
    return { state, answer: null, problem, usage: usageOf(this.#tasks.store.ownSteps(live.row)), result: null };
  }
}

const STATES: Readonly<Partial<Record<EndedTurn["subtype"], TaskState>>> = {
  canceled: TaskState.TASK_STATE_CANCELED,
  rejected: TaskState.TASK_STATE_REJECTED,
};

function outcomeOf(ended: EndedTurn): TaskEnd {
  const { subtype, usage, turns, costUsd, denials } = ended;
  const result: TaskResult = {
    subtype,
    num_turns: turns,
    ...(costUsd === undefined ? {} : { total_cost_usd: costUsd }),
    permission_denials: [...denials],
    ...(subtype === "success" && ended.isMessage ? { is_message: true as const } : {}),
    ...(subtype === "success" && ended.structured !== undefined ? { structured_output: ended.structured } : {}),
  };
  if (subtype === "success")
    return { state: TaskState.TASK_STATE_COMPLETED, answer: ended.text || null, problem: null, usage, result };
  const state = STATES[subtype] ?? TaskState.TASK_STATE_FAILED;
  return { state, answer: null, problem: ended.message, usage, result };
}
