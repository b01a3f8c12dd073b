// The tasks of a Session in this life of its object: which are live, their spans, and who learns of their changes.
import { TaskState } from "@a2a-js/sdk";
import { isTerminal, nameOfState } from "../../../a2a/message.ts";
import { formatTaskId, sessionOf, type TaskRef } from "../../../a2a/task-id.ts";
import type { Alarm } from "../../../durable/alarm.ts";
import type { Step } from "../../../loop/log/step.ts";
import { pendingApprovals, pendingQuestion } from "../../../loop/log/ledger.ts";
import { reasonOf, stackOf } from "../../../text/reason.ts";
import type { TraceContext } from "../../../tracing/trace-context.ts";
import type { Tracer } from "../../../tracing/tracer.ts";
import { tracerOf } from "../../control-plane/tracing.ts";
import type { AgentDefinition } from "../../definition.ts";
import { LOCAL_PRINCIPAL } from "../../caller.ts";
import { configOf, sessionName, type AgentEnv } from "../../env.ts";
import { log } from "../../log.ts";
import { reportTask } from "../../session-index/reports.ts";
import { addYoung, askToWatch, isWatched, removeYoung } from "../../young-turns.ts";
import { LiveTask } from "./live-task.ts";
import type { SessionStore } from "./store.ts";
import type { TaskEnd, TaskRow } from "./task-row.ts";
import { TaskSpan } from "./task-span.ts";

/** How often the alarm checks for open work: the longest that work lies still after its isolate is gone. */
const WATCH_MS = 1_500;
/** The same where somebody stays with the object, and wakes it. */
const STAYED_WITH_MS = 30_000;
/** How long a step may wait for a commit that has another reason. */
const LATER_MS = 500;
/** For hooks, a session has ended after so long without a message. */
export const IDLE_MS = 30 * 60_000;
/** Characters of a problem that are kept: it may be a page that a gateway sent instead of a model's answer. */
const MAX_PROBLEM = 2_000;

/** The Durable Object, as far as its tasks need it. */
export interface SessionObjectParts {
  readonly ctx: Pick<DurableObjectState, "id" | "waitUntil" | "abort">;
  readonly env: AgentEnv;
  readonly definition: AgentDefinition;
  readonly store: SessionStore;
  readonly alarm: Alarm;
}

export class Tasks {
  readonly env: AgentEnv;
  readonly definition: AgentDefinition;
  readonly store: SessionStore;
  readonly alarm: Alarm;
  readonly tracer: Tracer;
  readonly #ctx: SessionObjectParts["ctx"];
  readonly #live = new Map<string, LiveTask>();
  readonly #spans = new WeakMap<LiveTask, TaskSpan>();
  /** What nobody waits for. */
  readonly #underWay = new Set<Promise<unknown>>();
  #flushes = false;
  #isStayedWith = false;
  /** This life has set the alarm for open work. */
  #ringsForWork = false;
  #alarmIsShared = () => false;

  constructor({ ctx, env, definition, store, alarm }: SessionObjectParts) {
    this.#ctx = ctx;
    this.env = env;
    this.definition = definition;
    this.store = store;
    this.alarm = alarm;
    this.tracer = tracerOf(env, (work) => ctx.waitUntil(work));
  }

  /** Id of the Session's object. It has no name where it was woken by its files. */
  get session(): string {
    return this.#ctx.id.toString();
  }

  /** Whether a thread belongs here. An object that its files have woken has no name to tell by. */
  holds(principal: string, contextId: string): boolean {
    const { name } = this.#ctx.id;
    return contextId !== "" && (name === undefined || name === sessionName(principal, sessionOf(contextId)));
  }

  idOf(row: TaskRow): string {
    return formatTaskId(this.env.TROUPE_KEY, { agent: configOf(this.env).id, principal: principalOf(row) }, row);
  }

  get(taskId: string): LiveTask | undefined {
    return this.#live.get(taskId);
  }

  has(live: LiveTask): boolean {
    return this.#live.has(live.id);
  }

  /** Keeps a task at hand for those who watch it, until it ends. */
  hold(live: LiveTask): void {
    this.#live.set(live.id, live);
  }

  /** Begins the span of a task. */
  begin(live: LiveTask, begunAt: number): void {
    const { trace, contextId } = live.row;
    if (!trace) return;
    const { id: agent } = configOf(this.env);
    const span = new TaskSpan(this.tracer, {
      trace,
      agent,
      taskId: live.id,
      contextId,
      question: live.question,
      begunAt,
    });
    live.signal.addEventListener("abort", () => span.cancelRequested(), { once: true });
    this.#spans.set(live, span);
  }

  /** Undefined for a task of an older version. */
  spanOf(live: LiveTask): TaskSpan | undefined {
    return this.#spans.get(live);
  }

  /** A task for this life of the object. */
  live(id: string, row: TaskRow, question: string): LiveTask {
    return new LiveTask(id, row, question, {
      history: (taskId, now) => this.store.history(taskId, now),
      artifacts: (now) => this.store.artifacts(now),
    });
  }

  /** Makes a task live that an earlier life left. */
  revive(row: TaskRow): LiveTask {
    const live = this.live(this.idOf(row), row, this.store.question(row));
    live.isUnheard = true;
    live.announce();
    // A suspended task is at rest for those who wait for that.
    if (row.state === TaskState.TASK_STATE_INPUT_REQUIRED) {
      const own = this.store.ownSteps(row);
      live.suspend(row, pendingApprovals(own), pendingQuestion(own));
    }
    this.begin(live, row.createdAt);
    this.hold(live);
    return live;
  }

  /** Appends a step that is on disk with the next entry, or half a second later. */
  appendLater(ref: TaskRef, step: Step, workedMs: number): void {
    this.store.appendLater(ref, step, workedMs);
    if (this.#flushes) return;
    this.#flushes = true;
    setTimeout(() => {
      this.#flushes = false;
      try {
        this.store.flush();
      } catch (error) {
        this.storageFailed(error);
      }
    }, LATER_MS);
  }

  /** Reports a changed task to its span, the log, the alarm and the index, off the hot path. */
  changed(live: LiveTask): void {
    const { state, createdAt, updatedAt, problem, wakeAt } = live.row;
    const span = this.#spans.get(live);
    if (isTerminal(state)) {
      span?.end(live.row);
      const isFailure = state === TaskState.TASK_STATE_FAILED;
      const how = `${nameOfState(state)} after ${updatedAt - createdAt} ms`;
      // A line costs more than the rest of this. The trace says how a task went that went well.
      if (isFailure || problem !== null || !configOf(this.env).tracing.enabled)
        log(
          this.env,
          isFailure ? "warn" : "info",
          `task ${live.id} ${how}${problem === null ? "" : `: ${problem}`}`,
          span?.context,
        );
      if (this.definition.hooks?.SessionEnd) this.alarm.ringBy(Date.now() + IDLE_MS);
    }
    if (wakeAt !== null) this.alarm.ringBy(wakeAt);
    else if (!isTerminal(state)) this.#keepWatch();
    this.index(live.row);
  }

  /** Sees to it that open work resumes if this object ends: somebody stays with it, or watches it as long as it is young, or its alarm rings. */
  #keepWatch(): void {
    if (this.#isStayedWith) return;
    if (isWatched()) addYoung(this.session);
    else this.ringWhileBusy();
  }

  /** Sets the alarm of an object that works, and writes what waits for a commit. */
  ringWhileBusy(): void {
    this.store.flush();
    this.alarm.ringBy(Date.now() + (this.#isStayedWith ? STAYED_WITH_MS : WATCH_MS));
    this.#ringsForWork = true;
  }

  /** Asks for somebody who stays with this object. Where nobody can, its alarm rings often. */
  askToStay(): void {
    if (this.#isStayedWith) return;
    const keepAlive = (work: Promise<unknown>) => this.#ctx.waitUntil(work);
    keepAlive(askToWatch(this.env, keepAlive).then(() => isWatched() && addYoung(this.session)));
  }

  /** Somebody waits for `work`, and wakes this object if it ends before. */
  async whileStayedWith(work: () => Promise<void>): Promise<void> {
    this.#isStayedWith = true;
    removeYoung(this.session);
    try {
      this.ringWhileBusy();
      await work();
    } finally {
      this.#isStayedWith = false;
    }
  }

  /** `isNeeded`: whether the alarm has to ring for something else than tasks. */
  shareAlarm(isNeeded: () => boolean): void {
    this.#alarmIsShared = isNeeded;
  }

  /** The object works on nothing any more. */
  idle(): void {
    removeYoung(this.session);
    // With open tasks or hooks, the alarm may ring for them, too.
    if (!this.#ringsForWork || this.store.openTasks().length > 0 || this.definition.hooks?.SessionEnd) return;
    if (this.#alarmIsShared()) return;
    this.#ringsForWork = false;
    this.alarm.clear();
  }

  /** Reports a task's state to the index. */
  index(row: TaskRow): void {
    const { contextId, n, state, updatedAt } = row;
    const isHidden = row.result?.is_message === true;
    const task = { principal: principalOf(row), contextId, n, state, updatedAt, isHidden };
    reportTask(this.env, task, (work) => this.afterwards(work, "the report to the index"));
  }

  /** Stores the end of a task, and tells everyone who watches it. */
  end(live: LiveTask, end: TaskEnd): void {
    this.#live.delete(live.id);
    let row: TaskRow;
    try {
      row = this.#storeEnd(live, { ...end, problem: end.problem?.slice(0, MAX_PROBLEM).toWellFormed() ?? null });
    } catch (error) {
      // Nobody may learn of an end that is not kept: the next life of the object resumes the task.
      return this.storageFailed(error);
    }
    live.finish(row);
    this.changed(live);
  }

  /** Logs an error that is a bug of ours. */
  bug(live: LiveTask, error: unknown): void {
    log(this.env, "error", `task ${live.id}: ${stackOf(error)}`, this.#spans.get(live)?.context);
  }

  /** Nothing can be written: ends this life of the object. */
  storageFailed(error: unknown): void {
    this.#ctx.abort(`The session cannot be stored: ${reasonOf(error)}`);
  }

  /** Keeps the object alive until `work` has settled. */
  keepAlive(work: Promise<void>): void {
    this.#ctx.waitUntil(work);
  }

  /** Does what nobody waits for. Logs a failure. */
  afterwards(work: Promise<unknown>, what: string, trace?: TraceContext): void {
    const done = work
      .catch((error: unknown) => log(this.env, "warn", `${what} failed: ${reasonOf(error)}`, trace))
      .finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
    this.#ctx.waitUntil(done);
  }

  /** Resolves when nothing is under way any more that nobody waits for. */
  async whenQuiet(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** The row with its end, or with the reason why that could not be stored. Throws when nothing can be stored at all. */
  #storeEnd(live: LiveTask, end: TaskEnd): TaskRow {
    try {
      return this.store.endTask(live.row, end);
    } catch (error) {
      this.bug(live, error);
      const problem = `How the task ended could not be stored: ${reasonOf(error)}`;
      const failed = { state: TaskState.TASK_STATE_FAILED, answer: null, problem, usage: end.usage, result: null };
      return this.store.endTask(live.row, failed);
    }
  }
}

/** Tasks of older versions do not say who asked: there were no accounts. */
function principalOf({ asker }: TaskRow): string {
  return asker?.principal ?? LOCAL_PRINCIPAL;
}
