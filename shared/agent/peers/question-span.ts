// The client span of a question to another agent: from the moment it is sent to the end of the task it opened.
import { A2A_PROTOCOL_VERSION } from "@a2a-js/sdk";
import { failAborted, nameOf } from "../../loop/spans/call-spans.ts";
import type { GateChange } from "../../resilience/breaker.ts";
import { A2A, BREAKER, ERROR, EVENT, GEN_AI, TROUPE } from "../../tracing/names.ts";
import { formatTraceparent, type TraceContext } from "../../tracing/trace-context.ts";
import { contextOf, defined, fail, shortId, SpanKind, type Span, type Tracer } from "../../tracing/tracer.ts";
import { sinceLastAnswer } from "../../loop/log/ledger.ts";
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

  /** `own`: the id that was given out for it before, and when it began. */
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

  /** What the peer's spans hang under. */
  get traceparent(): string {
    return this.traceparentOf(contextOf(this.#span).spanId);
  }

  /** The same with another span of the trace: the one under which the question was asked first. */
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

  /** The peer waits for input; what follows on that is another message. */
  asksBack(): void {
    this.#span.setAttribute(A2A.taskState, "input-required").end();
  }

  /** The life that asked has ended: its span may never have been sent, and the peer's hang below it. */
  interrupted(): void {
    fail(this.#tracer, this.#span, ERROR.interrupted, "The agent was stopped while it waited for the answer.").end();
  }

  /** The life that asked ended, perhaps before this span was sent: so much is known of it, and its own word counts more. */
  unheard(): void {
    this.#span.setAttribute(TROUPE.provisional, true).end();
  }

  /** `signal` is that of the tool call: whether the peer failed, or was given up. */
  fail(error: unknown, signal: AbortSignal): void {
    failAborted(this.#tracer, this.#span, error, signal, nameOf(error, ERROR.unreachable)).end();
  }
}

// Questions that an earlier life of a turn had asked other agents, told again in case that their spans went with it.

/** The spans of the peers hang below them. What that life has said of them itself counts more, whenever it arrives. */
export function retellQuestions({ tracer, task, agent: source }: TurnTrace, log: readonly Step[]): void {
  for (const step of sinceLastAnswer(log)) {
    if (step.kind !== "peer_call") continue;
    const { agent: target, contextId, messageId, message, spanId, at } = step;
    const about = { parent: task, source, target, contextId, messageId, message };
    new AskingSpan(tracer, about, { spanId, startTime: at }).unheard();
  }
}
