// The spans of one task: the server span of the message that opened it, and its turns below. They outlive their request, so the task's
// row keeps their ids: an isolate that finds the task interrupted can end them.
import { A2A_PROTOCOL_VERSION, TaskState } from "@a2a-js/sdk";
import { TraceFlags } from "@opentelemetry/api";
import type { EndedTurn } from "../../../loop/turn.ts";
import { A2A, ERROR, EVENT, GEN_AI, OPERATION, SPAN, TROUPE } from "../../../tracing/names.ts";
import type { TraceContext } from "../../../tracing/trace-context.ts";
import { contextOf, defined, fail, shortId, SpanKind, type Span, type Tracer } from "../../../tracing/tracer.ts";
import type { TaskTrace } from "./task-trace.ts";

/** How the spans of a task end. */
export interface TaskOutcome {
  readonly state: TaskState;
  readonly answer: string | null;
  readonly problem: string | null;
}

interface Task {
  readonly trace: TaskTrace;
  readonly agent: string;
  readonly taskId: string;
  readonly contextId: string;
  readonly question: string;
  /** Milliseconds since the epoch. */
  readonly begunAt: number;
}

export class TaskSpan {
  readonly #tracer: Tracer;
  readonly #task: Task;
  readonly #span: Span;
  #turn: Span | undefined;
  #errorType: string = ERROR.internal;

  constructor(tracer: Tracer, task: Task) {
    const { trace, agent, taskId, contextId, question, begunAt } = task;
    this.#tracer = tracer;
    this.#task = task;
    this.#span = tracer.start({
      name: trace.method,
      kind: SpanKind.SERVER,
      own: { traceId: trace.traceId, spanId: trace.spanId },
      parent: trace.parentSpanId === null ? undefined : { traceId: trace.traceId, spanId: trace.parentSpanId },
      startTime: begunAt,
      attributes: defined({
        [TROUPE.traceKind]: trace.isQuery ? "query" : undefined,
        [A2A.method]: trace.method,
        [A2A.protocolVersion]: A2A_PROTOCOL_VERSION,
        [A2A.messageId]: shortId(trace.messageId),
        [A2A.taskId]: shortId(taskId),
        [TROUPE.source]: trace.source,
        [TROUPE.target]: agent,
        [GEN_AI.conversation]: shortId(contextId),
        [TROUPE.question]: tracer.content(() => question),
      }),
    });
  }

  get context(): TraceContext {
    return contextOf(this.#span);
  }

  /** Begins the span of a turn, or of one that resumes. `trace` has its ids. Returns the turn's context. */
  beginTurn(model: string, trace = this.#task.trace, startTime = Date.now()): TraceContext {
    const { agent, contextId } = this.#task;
    const { traceId, turnSpanId, earlierTurnSpanId } = trace;
    const earlier = earlierTurnSpanId && { traceId, spanId: earlierTurnSpanId, traceFlags: TraceFlags.SAMPLED };
    this.#turn = this.#tracer.start({
      name: SPAN.turn(agent),
      startTime,
      own: { traceId, spanId: turnSpanId },
      parent: this.context,
      ...(earlier ? { links: [{ context: earlier }] } : {}),
      attributes: {
        [GEN_AI.operation]: OPERATION.invokeAgent,
        [GEN_AI.agentName]: agent,
        [GEN_AI.conversation]: shortId(contextId),
        [GEN_AI.requestModel]: model,
      },
    });
    return contextOf(this.#turn);
  }

  /** Ends the span of a turn that waits for approvals: the turn resumes under another one. */
  suspendTurn(): void {
    this.#turn?.setAttribute(TROUPE.subtype, "suspended").end();
  }

  /** Ends the span of an earlier life's turn, which was cut off. `begunAt`: when it was last heard of. */
  interruptTurn(model: string, trace: TaskTrace, begunAt: number): void {
    this.beginTurn(model, trace, begunAt);
    if (this.#turn) fail(this.#tracer, this.#turn, ERROR.interrupted, INTERRUPTED).end();
  }

  /** Ends the span of a turn with its result. */
  endTurn(result: EndedTurn): void {
    const { usage } = result;
    if (!this.#turn) return;
    this.#turn.setAttributes({
      [TROUPE.subtype]: result.subtype,
      [TROUPE.modelCalls]: result.turns,
      [GEN_AI.inputTokens]: usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens,
      [GEN_AI.outputTokens]: usage.outputTokens,
    });
    if (result.subtype !== "success") {
      this.#errorType = result.errorType;
      fail(this.#tracer, this.#turn, result.errorType, result.message);
    }
    this.#turn.end();
  }

  cancelRequested(): void {
    this.#span.addEvent(EVENT.cancelRequested);
    this.#errorType = ERROR.canceled;
  }

  end({ state, answer, problem }: TaskOutcome, errorType = this.#errorType): void {
    const text = answer === null ? undefined : this.#tracer.content(() => answer);
    this.#span.setAttributes(defined({ [A2A.taskState]: nameOfState(state), [TROUPE.answer]: text }));
    if (state !== TaskState.TASK_STATE_COMPLETED) {
      const message = problem ?? nameOfState(state);
      // The turn is still open only after a bug, or the end of its isolate.
      if (this.#turn?.isRecording()) fail(this.#tracer, this.#turn, errorType, message).end();
      fail(this.#tracer, this.#span, errorType, message);
    }
    this.#span.end();
  }
}

const INTERRUPTED = "The agent was stopped in the middle of this turn; another life went on with it.";

/** Ends the spans of a task whose isolate went. `turn` is undefined where its turn had not begun. */
export function endInterrupted(
  tracer: Tracer,
  task: Task,
  turn: { readonly model: string; readonly begunAt: number } | undefined,
  outcome: TaskOutcome,
): void {
  const span = new TaskSpan(tracer, task);
  if (turn) span.beginTurn(turn.model, task.trace, turn.begunAt);
  span.end(outcome, ERROR.interrupted);
}

export function nameOfState(state: TaskState): string {
  return TaskState[state].slice("TASK_STATE_".length).toLowerCase().replaceAll("_", "-");
}
