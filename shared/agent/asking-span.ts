// The client span of a question to another agent: from the moment it is sent to the end of the task it opened.
import { A2A_PROTOCOL_VERSION } from "@a2a-js/sdk";
import { failAborted, nameOf } from "../loop/spans.ts";
import { A2A, ERROR, GEN_AI, TROUPE } from "../tracing/names.ts";
import { formatTraceparent, type TraceContext } from "../tracing/trace-context.ts";
import { contextOf, defined, shortId, SpanKind, type Span, type Tracer } from "../tracing/tracer.ts";

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

  constructor(tracer: Tracer, { parent, source, target, contextId, messageId, message }: Asking) {
    this.#tracer = tracer;
    this.#span = tracer.start({
      name: METHOD,
      kind: SpanKind.CLIENT,
      parent,
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
    return formatTraceparent(contextOf(this.#span), this.#span.isRecording());
  }

  opened(taskId: string): void {
    this.#span.setAttribute(A2A.taskId, shortId(taskId));
  }

  answered(text: string): void {
    const answer = this.#tracer.content(() => text);
    this.#span.setAttributes(defined({ [A2A.taskState]: "completed", [TROUPE.answer]: answer })).end();
  }

  /** `signal` is that of the tool call: whether the peer failed, or was given up. */
  fail(error: unknown, signal: AbortSignal): void {
    failAborted(this.#tracer, this.#span, error, signal, nameOf(error, ERROR.unreachable)).end();
  }
}
