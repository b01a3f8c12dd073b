// Session: one per caller and session. Hosts the A2A request handler and the running turns of all the session's threads.
// Turns outlive their isolate: an alarm wakes the object while there is work, and every call first resumes what it finds.
import { DurableObject } from "cloudflare:workers";
import { LegacyJsonRpcTransportHandler } from "@a2a-js/sdk/compat/v0_3/server";
import { JsonRpcTransportHandler, ServerCallContext } from "@a2a-js/sdk/server";
import { isTerminal } from "../../a2a/message.ts";
import { remoteContextId, type TaskRef } from "../../a2a/task-id.ts";
import { Alarm } from "../../durable/alarm.ts";
import type { Caller } from "../caller.ts";
import type { AgentDefinition } from "../definition.ts";
import type { AgentEnv } from "../env.ts";
import { refusalReply } from "../refusal.ts";
import { replyTo } from "../reply.ts";
import {
  DELETED,
  type Operation,
  type Reply,
  type SessionEntry,
  type SessionRpc,
  type SomeEntries,
  type Streamed,
} from "../rpc.ts";
import type { CopyThread } from "../../control-plane/sessions.ts";
import { Approvals } from "./approvals/approvals.ts";
import { PushNotifications } from "./push/push-notifications.ts";
import { toStream } from "./event-stream.ts";
import { Recovery } from "./recovery.ts";
import { SessionRequestHandler } from "./request-handler.ts";
import { deleteAll } from "./operator/delete-all.ts";
import { entriesToCopy, goneText, renamed } from "./operator/copied-entries.ts";
import { readTurns, type TurnsQuery } from "./operator/read-turns.ts";
import { SessionStore } from "./tasks/store.ts";
import { IDLE_MS, Tasks } from "./tasks/tasks.ts";
import { runSessionEndHooks, TurnRunner } from "./turns/build-turn.ts";
import { Turns } from "./turns/turns.ts";

export abstract class SessionObject extends DurableObject<AgentEnv> implements SessionRpc {
  readonly #tasks: Tasks;
  readonly #push: PushNotifications;
  readonly #approvals: Approvals;
  readonly #turns: Turns;
  readonly #recovery: Recovery;
  #isResumed = false;

  constructor(ctx: DurableObjectState, env: AgentEnv, definition: AgentDefinition) {
    super(ctx, env);
    const [store, alarm] = [
      new SessionStore(ctx.storage.sql, { mayReply: definition.run !== undefined }),
      new Alarm(ctx.storage),
    ];
    this.#tasks = new Tasks({ ctx, env, definition, store, alarm });
    this.#push = new PushNotifications(this.#tasks, ctx.storage.sql);
    this.#approvals = new Approvals(this.#tasks);
    this.#turns = new Turns(this.#tasks, this.#approvals, new TurnRunner(this.#tasks, ctx.storage));
    this.#recovery = new Recovery(this.#tasks, this.#approvals, this.#turns);
  }

  async call(operation: Operation, caller: Caller): Promise<Reply> {
    const { handler, result } = await this.#handle(operation, caller);
    if (Symbol.asyncIterator in result) throw new Error(`${operation.method} streams: use stream().`);
    return handler.refusal ? refusalReply(operation, ...handler.refusal) : replyTo(operation, result);
  }

  async stream(operation: Operation, caller: Caller): Promise<Streamed> {
    const gone = new AbortController();
    const { handler, result } = await this.#handle(operation, caller, gone.signal);
    const streamed = await toStream(result, operation, {
      onGone: () => gone.abort(),
      waitUntil: (work) => this.ctx.waitUntil(work),
    });
    return handler.refusal ? { reply: refusalReply(operation, ...handler.refusal) } : streamed;
  }

  async wake(held: readonly TaskRef[]): Promise<void> {
    const { store } = this.#tasks;
    this.#resume();
    if (this.#turns.isBusy) this.#tasks.ringWhileBusy();
    for (const ref of held) {
      const row = store.task(ref);
      if (row && isTerminal(row.state)) this.#tasks.index(row);
    }
    for (const ref of this.#recovery.takeUnreported()) {
      const row = store.task(ref);
      if (row) this.#tasks.index(row);
    }
  }

  async work(): Promise<void> {
    this.#resume();
    if (!this.#turns.isBusy) return;
    await this.#tasks.whileStayedWith(async () => this.#turns.whenIdle());
  }

  async turns(query: TurnsQuery): Promise<string> {
    this.#resume();
    return readTurns(this.#tasks, query);
  }

  async length(contextId: string): Promise<number> {
    return this.#tasks.store.tasks(contextId).length;
  }

  async entries(contextId: string, turns: readonly number[]): Promise<SomeEntries> {
    this.#resume();
    return entriesToCopy(this.#tasks.store, contextId, turns);
  }

  async copy(from: string, to: string, entries: readonly SessionEntry[]): Promise<void> {
    this.#resume();
    const newIdOf = (contextId: string) => remoteContextId(this.env.TROUPE_KEY, contextId, to);
    this.#tasks.store.writeEntries(to, renamed(entries, from, to, newIdOf));
  }

  async endCopy(contextId: string, lost: CopyThread["lost"]): Promise<number> {
    const { store } = this.#tasks;
    const copied = store.tasks(contextId);
    const last = copied.at(-1);
    if (last)
      for (const thread of lost) store.append(last, { kind: "note", about: "context", text: goneText(thread) }, 0);
    for (const ref of copied) {
      const row = store.task(ref);
      if (row) this.#tasks.index(row);
    }
    return copied.length;
  }

  async delete(unusedSince?: number): Promise<void> {
    if (unusedSince !== undefined && this.#isUsed(unusedSince)) return this.#reportLast();
    await deleteAll(this.ctx, this.#tasks, this.#turns, () => this.#resume());
    // What memory knows of the session is gone with this life.
    this.ctx.abort(DELETED);
  }

  /** Expires approvals, and checks that open work goes on. Never waits for a turn: the next alarm would come late. */
  override async alarm(): Promise<void> {
    const { store, alarm } = this.#tasks;
    alarm.rang();
    this.#isResumed = false;
    this.#resume();
    for (const row of store.openTasks()) {
      if (row.wakeAt === null || row.wakeAt > Date.now()) continue;
      const live = this.#tasks.get(this.#tasks.idOf(row)) ?? this.#tasks.revive(row);
      this.#approvals.expire(row, Date.now());
      this.#turns.resume(live);
    }
    if (this.#turns.isBusy) {
      this.#tasks.ringWhileBusy();
      this.#tasks.askToStay();
    }
    for (const { wakeAt } of store.openTasks()) if (wakeAt !== null) alarm.ringBy(wakeAt);
    if (this.#tasks.definition.hooks?.SessionEnd) this.#endIdle();
  }

  /** Tells the index what it does not know, or it would ask again. */
  #reportLast(): void {
    const { store } = this.#tasks;
    for (const ref of [...store.changedLast(0), ...store.openTasks()]) {
      const row = store.task(ref);
      if (row) this.#tasks.index(row);
    }
  }

  #isUsed(since: number): boolean {
    return this.#tasks.store.tasks().some(({ state, updatedAt }) => updatedAt > since || !isTerminal(state));
  }

  /** Goes on with what an earlier life left. Does nothing when it is called again, unless the alarm has rung. */
  #resume(): void {
    if (this.#isResumed) return;
    this.#isResumed = true;
    this.#recovery.resumeAll();
    this.#push.resume();
  }

  async #handle({ method, legacy, params, id }: Operation, caller: Caller, gone?: AbortSignal) {
    this.#resume();
    const parts = { tasks: this.#tasks, approvals: this.#approvals, turns: this.#turns, push: this.#push };
    const handler = new SessionRequestHandler(parts, { method, isLegacy: legacy !== undefined, caller, gone });
    const [context, jsonrpc] = [new ServerCallContext(), "2.0"] as const;
    const result = await (legacy === undefined
      ? new JsonRpcTransportHandler(handler).handle({ jsonrpc, method, params, id }, context)
      : new LegacyJsonRpcTransportHandler(handler).handle({ jsonrpc, method: legacy, params, id }, context));
    return { handler, result };
  }

  /** Runs the SessionEnd hooks of threads in which nobody has said anything for long. Everything else stays as it is. */
  #endIdle(): void {
    const { store, alarm } = this.#tasks;
    for (const row of store.restingTasks()) {
      if (row.updatedAt + IDLE_MS > Date.now()) {
        alarm.ringBy(row.updatedAt + IDLE_MS);
        continue;
      }
      store.append(row, { kind: "session_end" }, 0);
      this.#tasks.afterwards(runSessionEndHooks(this.#tasks, row), "a SessionEnd hook");
    }
  }
}
