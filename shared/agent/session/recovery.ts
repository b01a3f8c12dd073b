// Resumes the tasks that an earlier life of the Session's object left: once a life, before anything else.
import { TaskState } from "@a2a-js/sdk";
import type { TaskRef } from "../../a2a/task-id.ts";
import { progressOf } from "../../loop/log/ledger.ts";
import { reasonOf } from "../../text/reason.ts";
import { configOf } from "../env.ts";
import { log } from "../log.ts";
import { REPORTED_MS } from "../session-index/reports.ts";
import { modelOf } from "../model.ts";
import { slotsOf } from "../slots.ts";
import type { Approvals } from "./approvals/approvals.ts";
import { nextLife, POISONED } from "./tasks/life.ts";
import type { TaskRow } from "./tasks/task-row.ts";
import { endInterrupted } from "./tasks/task-span.ts";
import { nextTurnTrace } from "./tasks/task-trace.ts";
import type { Tasks } from "./tasks/tasks.ts";
import { closeAccount } from "./turns/account.ts";
import type { Turns } from "./turns/turns.ts";

const OLD_VERSION = "The agent was restarted while it worked on this task. Send the message again.";

export class Recovery {
  readonly #tasks: Tasks;
  readonly #approvals: Approvals;
  readonly #turns: Turns;
  #isDone = false;
  readonly #unreported: TaskRef[] = [];

  constructor(tasks: Tasks, approvals: Approvals, turns: Turns) {
    this.#tasks = tasks;
    this.#approvals = approvals;
    this.#turns = turns;
  }

  /** The tasks whose last report may not have reached the index: the process before may have ended with it. Empties the list. */
  takeUnreported(): readonly TaskRef[] {
    return this.#unreported.splice(0);
  }

  /** Resumes the turns that were at work. Those that wait for answers stay suspended. Does nothing when it is called again. */
  resumeAll(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    const { env, store, session } = this.#tasks;
    // An earlier life may have ended without giving its slots back.
    slotsOf(env).forget(session);
    this.#unreported.push(...store.changedLast(REPORTED_MS));
    for (const row of store.openTasks()) {
      try {
        this.#resume(row);
      } catch (error) {
        // A task that cannot be read must not keep the others waiting.
        log(env, "error", `task ${this.#tasks.idOf(row)} cannot be resumed: ${reasonOf(error)}`);
        this.#fail(row, `Its log cannot be read: ${reasonOf(error)}`);
      }
    }
  }

  #resume(row: TaskRow): void {
    const { store, alarm } = this.#tasks;
    if (row.asker === null || row.trace === null) return this.#fail(row, OLD_VERSION);
    // A log that cannot be read fails here, before the task is live: whoever asks for a live task waits for its turn.
    if (row.state !== TaskState.TASK_STATE_SUBMITTED) store.threadLog(row);
    if (row.state !== TaskState.TASK_STATE_INPUT_REQUIRED) return this.#restart(row, row.trace);
    // This life does not know the alarm of an earlier one: it is set again before anything sets a later one.
    if (row.wakeAt !== null) alarm.ringBy(row.wakeAt);
    if (store.hasLater(row)) this.#turns.dismiss(this.#tasks.revive(row));
  }

  #restart(row: TaskRow, trace: NonNullable<TaskRow["trace"]>): void {
    const { env, store } = this.#tasks;
    const live = this.#tasks.revive(row);
    const span = this.#tasks.spanOf(live);
    const began = row.state === TaskState.TASK_STATE_WORKING;
    if (began) span?.interruptTurn(modelOf(env).name, trace, row.updatedAt);
    const life = began ? nextLife(row.life, progressOf(store.ownSteps(row))) : row.life;
    live.row = store.setLife(row, life, began ? nextTurnTrace(trace) : trace);
    if (life.strikes >= POISONED.strikes) {
      this.#approvals.denyAll(row, { by: "failure", reason: POISONED.problem });
      closeAccount(this.#tasks, live.row);
      return this.#turns.fail(live, POISONED.problem);
    }
    log(env, "warn", `task ${live.id} resumes after its agent was stopped (life ${life.n})`, span?.context);
    this.#turns.start(live);
  }

  /** Fails a task that no life can resume: its row does not say who asked, or its log cannot be read. */
  #fail(row: TaskRow, problem: string): void {
    const { env, store, tracer } = this.#tasks;
    const end = { state: TaskState.TASK_STATE_FAILED, answer: null, problem, usage: null, result: null };
    this.#tasks.index(store.endTask(row, end));
    closeAccount(this.#tasks, row);
    if (row.trace === null) return;
    const about = { taskId: this.#tasks.idOf(row), contextId: row.contextId, question: "" };
    const task = { trace: row.trace, agent: configOf(env).id, begunAt: row.createdAt, ...about };
    const began = row.state === TaskState.TASK_STATE_WORKING;
    const turn = { model: modelOf(env).name, begunAt: row.updatedAt };
    endInterrupted(tracer, task, began ? turn : undefined, end);
  }
}
