// Session: one per caller and session. Hosts the A2A request handler and the running turns of all the session's threads.
// Turns outlive their isolate: an alarm wakes the object while there is work, and whoever wakes it makes it take up what it finds.
import { DurableObject } from "cloudflare:workers";
import { TaskState } from "@a2a-js/sdk";
import { JsonRpcTransportHandler, ServerCallContext } from "@a2a-js/sdk/server";
import { isTerminal, nameOfState } from "../../a2a/message.ts";
import { formatTaskId, type TaskRef } from "../../a2a/task-id.ts";
import { Alarm } from "../../durable/alarm.ts";
import type { NoAnswer } from "../../loop/log/denials.ts";
import { progressOf } from "../../loop/log/ledger.ts";
import type { TurnResult } from "../../loop/turn.ts";
import { reasonOf, stackOf } from "../../text/reason.ts";
import { parseTraceparent, type TraceContext } from "../../tracing/trace-context.ts";
import type { AgentDefinition } from "../definition.ts";
import { configOf, principalOf, type AgentEnv } from "../env.ts";
import { modelOf } from "../model.ts";
import { log } from "../log.ts";
import type { Operation, Reply, SessionRpc, Streamed } from "../rpc.ts";
import type { Caller } from "../caller.ts";
import { replyTo } from "../reply.ts";
import { reportTask } from "../session-index/reports.ts";
import { closeAccount } from "./turns/account.ts";
import { Approvals } from "./approvals/approvals.ts";
import { toStream } from "./event-stream.ts";
import { LiveTask } from "./tasks/live-task.ts";
import { nextLife, POISONED } from "./tasks/life.ts";
import { SessionRequestHandler } from "./request-handler.ts";
import { type Slot, slotFor, slotsOf } from "../slots.ts";
import { SessionStore } from "./tasks/store.ts";
import type { TaskRow } from "./tasks/task-row.ts";
import { endInterrupted, taskOf, TaskSpan } from "./tasks/task-span.ts";
import { newTaskTrace, nextTurnTrace } from "./tasks/task-trace.ts";
import { Turns } from "./turns/turns.ts";
import { runTurnOf, tellSessionEnd } from "./turns/build-turn.ts";
import { tracerOf } from "../control-plane/tracing.ts";

/** How long work can lie still after its isolate is gone: the alarm rings so often while there is any. */
const WATCH_MS = 1_500;
/** After so long without a message a session has ended, as far as hooks are concerned. */
const IDLE_MS = 30 * 60_000;
const OLD_VERSION = "The agent was restarted while it worked on this task. Send the message again.";

export abstract class SessionObject extends DurableObject<AgentEnv> implements SessionRpc {
  protected abstract readonly definition: AgentDefinition;
  readonly #store = new SessionStore(this.ctx.storage.sql);
  readonly #tracer = tracerOf(this.env, (work) => this.ctx.waitUntil(work));
  readonly #approvals = new Approvals(this.#store, this.#tracer, this.env);
  readonly #turns = new Turns(this.#store, {
    slot: (live) => slotFor(live, this.env, this.ctx.id.name),
    run: (live, slot) => this.#run(live, slot),
    keepAlive: (work) => this.ctx.waitUntil(work),
    denyAll: (row, why) => this.#denyAll(row, why),
    changed: (live) => this.#changed(live),
    bug: (live, error) => log(this.env, "error", `task ${live.id}: ${stackOf(error)}`, this.#spans.get(live)?.context),
    storageFailed: (error) => this.ctx.abort(`The session cannot be stored: ${reasonOf(error)}`),
  });
  readonly #spans = new WeakMap<LiveTask, TaskSpan>();
  readonly #alarm = new Alarm(this.ctx.storage);
  #hasTakenUp = false;

  /** One unary A2A operation. */
  async call(operation: Operation, caller: Caller): Promise<Reply> {
    const result = await this.#handle(operation, caller);
    if (Symbol.asyncIterator in result) throw new Error(`${operation.method} streams: use stream().`);
    return replyTo(operation, result);
  }

  /** One streaming A2A operation: Server-Sent Events in the form of its binding, or the error that kept it from beginning. */
  async stream(operation: Operation, caller: Caller): Promise<Streamed> {
    return toStream(await this.#handle(operation, caller), operation, (work) => this.ctx.waitUntil(work));
  }

  /** Takes up what another life left, and what was not answered in time. Never waits for a turn: the next alarm would come late. */
  override async alarm(): Promise<void> {
    this.#alarm.rang();
    this.#takeUp();
    for (const row of this.#store.openTasks()) {
      if (row.wakeAt === null || row.wakeAt > Date.now()) continue;
      const live = this.#turns.get(this.#id(row)) ?? this.#revive(row);
      this.#approvals.expire(row, Date.now());
      live.resume();
      this.#goOn(live);
    }
    if (this.#turns.isBusy) this.#alarm.ringBy(Date.now() + WATCH_MS);
    for (const { wakeAt } of this.#store.openTasks()) if (wakeAt !== null) this.#alarm.ringBy(wakeAt);
    if (this.definition.hooks?.SessionEnd) this.#endIdle();
  }

  /** Takes up what another life left, as the alarm does. The index, which asks, holds these for open and learns of those that are not. */
  async wake(held: readonly TaskRef[]): Promise<void> {
    this.#takeUp();
    for (const ref of held) {
      const row = this.#store.task(ref);
      if (row && isTerminal(row.state)) this.#index(row);
    }
  }

  async #handle({ method, params, id }: Operation, caller: Caller) {
    this.#takeUp();
    const config = configOf(this.env);
    const handler = new SessionRequestHandler({
      store: this.#store,
      turns: this.#turns,
      owner: { agent: config.id, principal: caller.principal },
      key: this.env.TROUPE_KEY,
      chain: caller.chain,
      isFull: () => slotsOf(this.env).isFull,
      trace: ({ messageId }) => {
        const about = { method, messageId, isRecorded: config.tracing.enabled };
        return newTaskTrace(parseTraceparent(caller.traceparent), caller.chain, about);
      },
      asker: (ref) => ({
        principal: caller.principal,
        chain: [...caller.chain],
        query:
          caller.query ?? formatTaskId(this.env.TROUPE_KEY, { agent: config.id, principal: caller.principal }, ref),
      }),
      begin: (live) => this.#begin(live, caller.receivedAt),
      revive: (row) => this.#revive(row),
      goOn: (live) => this.#goOn(live),
      answer: (row, answers, messageId) => this.#approvals.answer(row, answers, messageId),
    });
    return new JsonRpcTransportHandler(handler).handle({ jsonrpc: "2.0", method, params, id }, new ServerCallContext());
  }

  /** A task of this life: its span begins. */
  #begin(live: LiveTask, begunAt: number): void {
    const { trace } = live.row;
    if (!trace) return;
    const span = new TaskSpan(this.#tracer, taskOf(live, configOf(this.env).id, trace, begunAt));
    live.signal.addEventListener("abort", () => span.cancelRequested(), { once: true });
    this.#spans.set(live, span);
  }

  /** A task that another life left. */
  #revive(row: TaskRow): LiveTask {
    const live = new LiveTask(this.#id(row), row, this.#store.question(row));
    live.isUnheard = true;
    // It is at rest: whoever waits for that must not wait for an answer first.
    if (row.state === TaskState.TASK_STATE_INPUT_REQUIRED) live.suspend(row, this.#approvals.pending(row));
    this.#begin(live, row.createdAt);
    this.#turns.hold(live);
    return live;
  }

  /** Goes on with a turn that was suspended. */
  #goOn(live: LiveTask): void {
    const { row } = live;
    // A number of its own, because each goes by it at the account.
    const life = { ...row.life, n: row.life.n + 1 };
    const next = row.trace ? this.#store.setLife(row, life, nextTurnTrace(row.trace)) : row;
    live.update(this.#store.setState(next, TaskState.TASK_STATE_WORKING));
    this.#turns.start(live);
  }

  /** Goes on with the turns that were at work when another life ended. Those that wait for answers go on waiting. */
  #takeUp(): void {
    if (this.#hasTakenUp) return;
    this.#hasTakenUp = true;
    // An earlier life may have ended with slots in its hands.
    slotsOf(this.env).forget(this.ctx.id.name ?? "");
    for (const row of this.#store.openTasks()) {
      try {
        this.#takeUpOne(row);
      } catch (error) {
        // One that cannot be read must not keep the others waiting.
        log(this.env, "error", `task ${this.#id(row)} cannot be gone on with: ${reasonOf(error)}`);
        this.#endOld(row, `Its log cannot be read: ${reasonOf(error)}`);
      }
    }
  }

  #takeUpOne(row: TaskRow): void {
    if (row.asker === null || row.trace === null) return this.#endOld(row, OLD_VERSION);
    // All that may be unreadable of a task that has begun is read before it is held: from then on whoever asks for it waits for its turn.
    if (row.state !== TaskState.TASK_STATE_SUBMITTED) this.#store.turnLog(row);
    if (row.state !== TaskState.TASK_STATE_INPUT_REQUIRED) return this.#resume(row, row.trace);
    // Before anything sets a later one: an alarm that was set is not known any more.
    if (row.wakeAt !== null) this.#alarm.ringBy(row.wakeAt);
    if (this.#store.hasLater(row)) this.#turns.dismiss(this.#revive(row));
  }

  #resume(row: TaskRow, trace: NonNullable<TaskRow["trace"]>): void {
    const live = this.#revive(row);
    const began = row.state === TaskState.TASK_STATE_WORKING;
    if (began) this.#spans.get(live)?.interruptTurn(modelOf(this.env).name, trace, row.updatedAt);
    const life = began ? nextLife(row.life, progressOf(this.#store.ownSteps(row))) : row.life;
    live.row = this.#store.setLife(row, life, began ? nextTurnTrace(trace) : trace);
    if (life.strikes >= POISONED.strikes) {
      this.#denyAll(row, { by: "failure", reason: POISONED.problem });
      this.#closeAccount(live.row);
      return this.#turns.fail(live, POISONED.problem);
    }
    const context = this.#spans.get(live)?.context;
    log(this.env, "warn", `task ${live.id} is gone on with after its agent was stopped (life ${life.n})`, context);
    this.#turns.start(live);
  }

  /** Ends the threads in which nobody has said anything for long: only for the hooks, all stays as it is. */
  #endIdle(): void {
    for (const row of this.#store.restingTasks()) {
      if (row.updatedAt + IDLE_MS > Date.now()) {
        this.#alarm.ringBy(row.updatedAt + IDLE_MS);
        continue;
      }
      this.#store.append(row, { kind: "session_end" }, 0);
      this.#afterwards(tellSessionEnd(this.env, this.definition, this.#id(row), row.contextId), "a SessionEnd hook");
    }
  }

  async #run(live: LiveTask, slot: Slot): Promise<TurnResult> {
    const span = this.#spans.get(live);
    const { asker, trace, life } = live.row;
    if (!span || !asker || !trace) throw new Error(`Task ${live.id} was started without its asker.`);
    // A turn that ends its process must not take the count of its lives along.
    if (life.n > 1) await this.ctx.storage.sync();
    const running = runTurnOf({
      env: this.env,
      definition: this.definition,
      store: this.#store,
      tracer: this.#tracer,
      live,
      slot,
      asker,
      span: { task: span.context, turn: span.beginTurn(modelOf(this.env).name, trace) },
      afterwards: (work, what) => this.#afterwards(work, what, span.context),
    });
    const result = await running.catch((error: unknown) => {
      // It may not have come to what a life begins with, and another is not to follow.
      this.#closeAccount(live.row);
      throw error;
    });
    if (result.subtype === "suspended") span.suspendTurn();
    else span.endTurn(result);
    return result;
  }

  /** Tells the query's account that no life of the task will. */
  #closeAccount(row: TaskRow): void {
    this.#afterwards(closeAccount(this.env, this.#store, row, this.#id(row)), "telling the query's account of its end");
  }

  /** Says no to what a suspended task waits for: its own calls, and those of the peers it asked. */
  #denyAll(row: TaskRow, why: NoAnswer): void {
    const { asker } = row;
    const peers = this.#approvals.deny(row, why);
    if (!asker) return;
    for (const step of peers) {
      const work = this.#approvals.cancelPeer(step, asker);
      this.#afterwards(work, `telling ${step.agent} to cancel its task`);
    }
  }

  /** Tells the log and the index, off the hot path. */
  #changed(live: LiveTask): void {
    const { state, createdAt, updatedAt, problem, wakeAt } = live.row;
    const span = this.#spans.get(live);
    if (isTerminal(state)) {
      span?.end(live.row);
      const how = `${nameOfState(state)} after ${updatedAt - createdAt} ms`;
      const level = state === TaskState.TASK_STATE_FAILED ? "warn" : "info";
      log(this.env, level, `task ${live.id} ${how}${problem === null ? "" : `: ${problem}`}`, span?.context);
      if (this.definition.hooks?.SessionEnd) this.#alarm.ringBy(Date.now() + IDLE_MS);
    }
    if (wakeAt !== null) this.#alarm.ringBy(wakeAt);
    else if (!isTerminal(state)) this.#alarm.ringBy(Date.now() + WATCH_MS);
    this.#index(live.row);
  }

  #index({ asker, contextId, n, state, updatedAt }: TaskRow): void {
    const principal = asker?.principal ?? principalOf(this.ctx.id.name);
    reportTask(this.env, { principal, contextId, n, state, updatedAt }, (work) =>
      this.#afterwards(work, "the report to the index"),
    );
  }

  /** Work that nobody waits for; a failure of it is worth a line. */
  #afterwards(work: Promise<unknown>, what: string, trace?: TraceContext): void {
    this.ctx.waitUntil(
      work.catch((error: unknown) => log(this.env, "warn", `${what} failed: ${reasonOf(error)}`, trace)),
    );
  }

  #id(row: TaskRow): string {
    const principal = row.asker?.principal ?? principalOf(this.ctx.id.name);
    return formatTaskId(this.env.TROUPE_KEY, { agent: configOf(this.env).id, principal }, row);
  }

  /** A task that no life can go on with: of a version whose rows do not say who asked, or with a log that cannot be read. */
  #endOld(row: TaskRow, problem: string): void {
    const end = { state: TaskState.TASK_STATE_FAILED, answer: null, problem, usage: null, result: null };
    this.#index(this.#store.endTask(row, end));
    this.#closeAccount(row);
    if (row.trace === null) return;
    const about = { taskId: this.#id(row), contextId: row.contextId, question: "" };
    const task = { trace: row.trace, agent: configOf(this.env).id, begunAt: row.createdAt, ...about };
    const began = row.state === TaskState.TASK_STATE_WORKING;
    const turn = { model: modelOf(this.env).name, begunAt: row.updatedAt };
    endInterrupted(this.#tracer, task, began ? turn : undefined, end);
  }
}
