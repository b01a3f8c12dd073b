// Session: one per caller and session. Hosts the A2A request handler and the running turns of all the session's threads.
import { DurableObject } from "cloudflare:workers";
import { TaskState } from "@a2a-js/sdk";
import { JsonRpcTransportHandler, ServerCallContext } from "@a2a-js/sdk/server";
import { isTerminal } from "../a2a/message.ts";
import { formatTaskId } from "../a2a/task-id.ts";
import type { Step } from "../loop/step.ts";
import { runTurn, type TurnResult } from "../loop/turn.ts";
import { untilAborted } from "../loop/until-aborted.ts";
import { parseTraceparent, type TraceContext } from "../tracing/trace-context.ts";
import { addUsage } from "../tracing/usage.ts";
import type { AgentDefinition } from "./definition.ts";
import { configOf, modelOf, principalOf, type AgentEnv } from "./environment.ts";
import { AgentPeers } from "./peers.ts";
import { reportTask } from "./session-index.ts";
import { reasonOf } from "../tracing/reason.ts";
import { log } from "./log.ts";
import { systemPrompt } from "./prompt.ts";
import { replyTo, type Reply } from "./reply.ts";
import type { Caller, Operation } from "./operation.ts";
import { toStream, type Streamed } from "./session/event-stream.ts";
import type { LiveTask } from "./session/live-task.ts";
import { SessionRequestHandler } from "./session/request-handler.ts";
import { SessionStore, type TaskRow } from "./session/store.ts";
import { Turns } from "./session/turns.ts";
import { endInterrupted, nameOfState, newTaskTrace, taskOf, TaskSpan } from "./session/task-span.ts";
import { toolbox } from "./toolbox.ts";
import { tracerOf } from "./tracing.ts";

const INTERRUPTED = "The agent was restarted while it worked on this task. Send the message again.";

/** How a task's turn was asked for; needed while it runs, forgotten with it. */
interface Asked {
  readonly caller: Caller;
  readonly span: TaskSpan;
}

export abstract class SessionObject extends DurableObject<AgentEnv> {
  protected abstract readonly definition: AgentDefinition;
  readonly #store = new SessionStore(this.ctx.storage.sql);
  readonly #turns = new Turns(
    this.#store,
    (live, append) => this.#run(live, append),
    (live) => this.#report(live),
    (live, error) =>
      log(
        this.env,
        "error",
        `task ${live.id}: ${error instanceof Error ? error.stack : String(error)}`,
        this.#asked.get(live)?.span.context,
      ),
  );
  readonly #asked = new WeakMap<LiveTask, Asked>();
  readonly #tracer = tracerOf(this.env, (work) => this.ctx.waitUntil(work));

  constructor(ctx: DurableObjectState, env: AgentEnv) {
    super(ctx, env);
    this.#endInterrupted();
  }

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

  async #handle({ method, params, id }: Operation, caller: Caller) {
    const agent = configOf(this.env).id;
    const handler = new SessionRequestHandler({
      store: this.#store,
      turns: this.#turns,
      owner: { agent, principal: caller.principal },
      key: this.env.TROUPE_KEY,
      trace: ({ messageId }) => {
        const isRecorded = configOf(this.env).tracing.enabled;
        return newTaskTrace(parseTraceparent(caller.traceparent), caller.chain, { method, messageId, isRecorded });
      },
      begin: (live, trace) => {
        const span = new TaskSpan(this.#tracer, taskOf(live, agent, trace, caller.receivedAt));
        live.signal.addEventListener("abort", () => span.cancelRequested(), { once: true });
        this.#asked.set(live, { caller, span });
      },
    });
    return new JsonRpcTransportHandler(handler).handle({ jsonrpc: "2.0", method, params, id }, new ServerCallContext());
  }

  async #run(live: LiveTask, append: (step: Step) => void): Promise<TurnResult> {
    const config = configOf(this.env);
    const { row, signal } = live;
    const asked = this.#asked.get(live);
    if (!asked) throw new Error(`Task ${live.id} was started without a caller.`);
    const { caller, span } = asked;
    const model = modelOf(this.env);
    const turn = span.beginTurn(model.name);
    const peers = new AgentPeers(this.env, {
      contextId: row.contextId,
      principal: caller.principal,
      chain: caller.chain,
      tracer: this.#tracer,
      append,
      threadSteps: () => this.#store.steps(row),
      sessionSteps: () => this.#store.allSteps(),
      onUsage: (usage) => live.addPeerUsage(usage),
      waitUntil: (work) => this.#afterwards(work, "telling a peer to cancel its task", span.context),
    });
    const result = await runTurn({
      ...(await untilAborted(toolbox(this.env, this.definition), signal)),
      model,
      system: systemPrompt(this.definition.instructions, caller.chain.at(-1)),
      permissions: config.permissions,
      hooks: this.definition.hooks ?? {},
      budget: config.budget,
      steps: this.#store.steps(row),
      call: {
        agent: config.id,
        config: config.config,
        env: { ...this.env },
        contextId: row.contextId,
        taskId: live.id,
        peers,
      },
      append,
      trace: { tracer: this.#tracer, parent: turn, agent: config.id, contextId: row.contextId },
      emit: (event) => {
        if (event.type === "model_start") live.restartAnswer();
        if (event.type === "text_delta") live.appendAnswer(event.text);
      },
      signal,
    });
    span.endTurn(result, addUsage(result.usage, live.peerUsage));
    return result;
  }

  /** Tells the log and the index, off the hot path. */
  #report(live: LiveTask): void {
    const asked = this.#asked.get(live);
    if (!asked) return;
    const { state, createdAt, updatedAt, problem } = live.row;
    if (isTerminal(state)) {
      asked.span.end(live.row);
      const how = `${nameOfState(state)} after ${updatedAt - createdAt} ms`;
      const level = state === TaskState.TASK_STATE_FAILED ? "warn" : "info";
      log(this.env, level, `task ${live.id} ${how}${problem === null ? "" : `: ${problem}`}`, asked.span.context);
    }
    this.#index(asked.caller.principal, live.row);
  }

  #index(principal: string, { contextId, n, state, updatedAt }: TaskRow): void {
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

  /** Turns do not outlive their isolate: a task that was at work when it went has ended. */
  #endInterrupted(): void {
    const end = { state: TaskState.TASK_STATE_FAILED, answer: null, problem: INTERRUPTED, usage: null };
    for (const row of this.#store.tasksIn(TaskState.TASK_STATE_WORKING, TaskState.TASK_STATE_SUBMITTED)) {
      const owner = { agent: configOf(this.env).id, principal: principalOf(this.ctx.id.name) };
      this.#index(owner.principal, this.#store.endTask(row, end));
      if (row.trace === null) continue;
      const taskId = formatTaskId(this.env.TROUPE_KEY, owner, row);
      const about = { taskId, contextId: row.contextId, question: this.#store.question(row), begunAt: row.createdAt };
      const turn = { model: modelOf(this.env).name, begunAt: row.updatedAt };
      const began = row.state === TaskState.TASK_STATE_WORKING;
      const task = { trace: row.trace, agent: owner.agent, ...about };
      endInterrupted(this.#tracer, task, began ? turn : undefined, end);
    }
  }
}
