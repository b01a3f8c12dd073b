// The client span of a question to another agent: from sending the question to the end of the task that it opened.
import { A2A_PROTOCOL_VERSION } from "@a2a-js/sdk";
import { failAborted, nameOf } from "../../loop/spans/call-spans.ts";
import type { GateChange } from "../../resilience/breaker.ts";
import { A2A, BREAKER, ERROR, EVENT, GEN_AI, TROUPE } from "../../tracing/names.ts";
import { formatTraceparent, type TraceContext } from "../../tracing/trace-context.ts";
import { contextOf, defined, fail, shortId, SpanKind, type Span, type Tracer } from "../../tracing/tracer.ts";
import { sinceLastAnswer } from "../../loop/log/ledger.ts";
import type { PeerCallStep } from "../../loop/log/peer-question.ts";
import type { TurnTrace } from "../../loop/spans/turn-trace.ts";
import type { Step } from "../../loop/log/step.ts";

const METHOD = "SendStreamingMessage";

interface Asking {
  readonly parent: TraceContext;
  /** Agents' ids. */
  readonly source: string;
  readonly target: string;
  readonly contextId: string;
  readonly messageId: string;
  readonly message: string;
}

export class AskingSpan {
  readonly #tracer: Tracer;
  readonly #span: Span;

  /** `own`: the id and start that the log keeps of a span that was begun before. */
  constructor(
    tracer: Tracer,
    { parent, source, target, contextId, messageId, message }: Asking,
    own?: { readonly spanId: string; readonly startTime: number },
  ) {
    this.#tracer = tracer;
    this.#span = tracer.start({
      name: METHOD,
      kind: SpanKind.CLIENT,
      parent,
      ...(own ? { own: { traceId: parent.traceId, spanId: own.spanId }, startTime: own.startTime } : {}),
      attributes: defined({
        [A2A.method]: METHOD,
        [A2A.protocolVersion]: A2A_PROTOCOL_VERSION,
        [A2A.messageId]: messageId,
        [TROUPE.source]: source,
        [TROUPE.target]: target,
        [GEN_AI.conversation]: shortId(contextId),
        [TROUPE.question]: tracer.content(() => message),
      }),
    });
  }

  /** The parent of the peer's spans. */
  get traceparent(): string {
    return this.traceparentOf(contextOf(this.#span).spanId);
  }

  /** The same, with the span under which the question was first asked. */
  traceparentOf(spanId: string): string {
    return formatTraceparent({ ...contextOf(this.#span), spanId }, this.#span.isRecording());
  }

  /** The circuit to the peer opened, or closed again. */
  circuit({ target, state, failures }: GateChange): void {
    const change = { [BREAKER.target]: target, [BREAKER.state]: state, [BREAKER.failures]: failures };
    this.#span.addEvent(EVENT.breaker(state), change);
  }

  opened(taskId: string): void {
    this.#span.setAttribute(A2A.taskId, shortId(taskId));
  }

  answered(text: string): void {
    const answer = this.#tracer.content(() => text);
    this.#span.setAttributes(defined({ [A2A.taskState]: "completed", [TROUPE.answer]: answer })).end();
  }

  /** The peer waits for input. The answer to it will be another message, with a span of its own. */
  asksBack(): void {
    this.#span.setAttribute(A2A.taskState, "input-required").end();
  }

  /** Ends the span of a life that has ended. That span may never have been sent, and the peer's spans are its children. */
  interrupted(): void {
    fail(this.#tracer, this.#span, ERROR.interrupted, "The agent was stopped while it waited for the answer.").end();
  }

  /** Marks the span as provisional: the life that asked may have sent it, and then its own version counts. */
  unheard(): void {
    this.#span.setAttribute(TROUPE.provisional, true).end();
  }

  /** `signal` is the tool call's; it says whether the peer failed or the call was aborted. */
  fail(error: unknown, signal: AbortSignal): void {
    failAborted(this.#tracer, this.#span, error, signal, nameOf(error, ERROR.unreachable)).end();
  }
}

/** The span of a question as the log keeps it, below `parent`. `source`: the agent that asked. */
export function loggedSpan(tracer: Tracer, parent: TraceContext, source: string, step: PeerCallStep): AskingSpan {
  const { agent: target, contextId, messageId, message, spanId, at } = step;
  const about = { parent, source, target, contextId, messageId, message };
  return new AskingSpan(tracer, about, { spanId, startTime: at });
}

/** Sends the spans of an earlier life's questions again, provisionally: they may be lost, and the peers' spans are their children. */
export function retellQuestions({ tracer, task, agent: source }: TurnTrace, log: readonly Step[]): void {
  for (const step of sinceLastAnswer(log)) {
    if (step.kind === "peer_call") loggedSpan(tracer, task, source, step).unheard();
  }
}
