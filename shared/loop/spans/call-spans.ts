// The spans of a turn's calls: one an attempt of a model call, one a tool call. Names and attributes follow the GenAI conventions.
import { ModelError, type Model, type ModelNotice, type ModelRequest } from "../../models/model.ts";
import { inputMessages, outputMessages, systemInstructions } from "../../tracing/gen-ai-messages.ts";
import { BREAKER, ERROR, EVENT, GEN_AI, GENERAL, OPERATION, SPAN, TROUPE, APPROVAL } from "../../tracing/names.ts";
import { costOf } from "../../budget/price.ts";
import { reasonOf, stackOf } from "../../text/reason.ts";
import type { Usage } from "../../budget/usage.ts";
import { defined, fail, shortId, SpanKind, type Span, type Tracer } from "../../tracing/tracer.ts";
import type { AssistantStep } from "../log/step.ts";
import type { TurnTrace } from "./turn-trace.ts";
import type { ToolUseBlock } from "@anthropic-ai/sdk/resources/messages/messages";
import type { Approval } from "../log/approval.ts";
import type { Tool } from "../tools/tool.ts";

/** Characters that are kept of the name of an unknown tool. */
const MAX_NAME = 64;
/** Names of abort reasons that are timeouts: the platform's, a turn's, a tool's. */
const TIMEOUTS: ReadonlySet<string> = new Set(["TimeoutError", "WallTimeSpent", ERROR.timeout]);

/** What a span keeps of an answer. */
type Said = Pick<AssistantStep, "model" | "content"> & { readonly stopReason: string | null };

/** One attempt of a model call, from its request to the end of its stream. */
export class ChatSpan {
  readonly #trace: TurnTrace;
  readonly #model: Model;
  readonly #span: Span;
  readonly #begun = Date.now();
  #heard = false;

  constructor(trace: TurnTrace, model: Model, request: ModelRequest, attempt: number, isStreamed = true) {
    const { tracer, parent, agent, contextId } = trace;
    this.#trace = trace;
    this.#model = model;
    this.#span = tracer.start({
      name: SPAN.chat(model.name),
      kind: SpanKind.CLIENT,
      parent,
      startTime: this.#begun,
      attributes: defined({
        [GEN_AI.operation]: OPERATION.chat,
        [GEN_AI.provider]: model.provider,
        [GEN_AI.requestModel]: model.name,
        [GEN_AI.maxTokens]: model.maxTokens,
        [GEN_AI.stream]: isStreamed,
        [GEN_AI.conversation]: shortId(contextId),
        [GEN_AI.agentName]: agent,
        [GENERAL.serverAddress]: model.server.address,
        [GENERAL.serverPort]: model.server.port,
        [GENERAL.resendCount]: attempt > 1 ? attempt - 1 : undefined,
        [GEN_AI.systemInstructions]: tracer.content(() => systemInstructions(request.system)),
        [GEN_AI.inputMessages]: tracer.content(() => inputMessages(request.messages)),
      }),
    });
  }

  /** Adds an event: the call is retried, or a circuit opens or closes. */
  noticed(notice: ModelNotice): void {
    if (notice.kind === "retry") {
      const why = { [GENERAL.httpStatus]: notice.status, [GENERAL.errorType]: notice.reason };
      this.#span.addEvent(EVENT.retry, defined({ [GENERAL.resendCount]: notice.attempt, ...why }));
    } else {
      const { target, state, failures } = BREAKER;
      const change = { [target]: notice.target, [state]: notice.state, [failures]: notice.failures };
      this.#span.addEvent(EVENT.breaker(notice.state), change);
    }
  }

  /** The first part of the answer has come. */
  heard(): void {
    if (this.#heard) return;
    this.#heard = true;
    this.#span.setAttribute(GEN_AI.timeToFirstChunk, (Date.now() - this.#begun) / 1000);
  }

  /** Whether anything of an answer has come. */
  get hasBegun(): boolean {
    return this.#heard;
  }

  /** The usage so far. A call that breaks off is paid for too. */
  used(usage: Usage): void {
    const { price } = this.#model;
    this.#span.setAttributes(
      defined({
        [GEN_AI.inputTokens]: usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens,
        [GEN_AI.outputTokens]: usage.outputTokens,
        [GEN_AI.cacheReadTokens]: usage.cacheReadTokens,
        [GEN_AI.cacheWriteTokens]: usage.cacheWriteTokens,
        [TROUPE.cost]: price && costOf(usage, price),
      }),
    );
  }

  named(responseId: string): void {
    this.#span.setAttribute(GEN_AI.responseId, responseId);
  }

  end({ model, stopReason, content }: Said): void {
    this.#span
      .setAttributes(
        defined({
          [GEN_AI.responseModel]: model,
          [GEN_AI.finishReasons]: stopReason === null ? undefined : [stopReason],
          [GEN_AI.outputMessages]: this.#trace.tracer.content(() => outputMessages(content, stopReason)),
        }),
      )
      // The clock has whole milliseconds, and no call takes none.
      .end(Math.max(Date.now(), this.#begun + 1));
  }

  /** `signal` is the turn's; it says whether the call failed or was aborted. */
  fail(error: unknown, signal: AbortSignal): void {
    failAborted(
      this.#trace.tracer,
      this.#span,
      error,
      signal,
      error instanceof ModelError ? error.code : nameOf(error),
    ).end();
  }
}

/** Marks a span with the reason of `signal` where that has aborted, else with `type`. */
export function failAborted(tracer: Tracer, span: Span, error: unknown, signal: AbortSignal, type: string): Span {
  if (!signal.aborted) return fail(tracer, span, type, reasonOf(error));
  const reason: unknown = signal.reason;
  return fail(tracer, span, isTimeout(reason) ? ERROR.timeout : ERROR.canceled, reasonOf(reason));
}

/** The class of an error, as `error.type` wants it. */
export function nameOf(error: unknown, otherwise: string = ERROR.toolError): string {
  try {
    const name: unknown = error instanceof Error ? error.name : undefined;
    return typeof name === "string" && name !== "" && name !== "Error" ? name.toWellFormed() : otherwise;
  } catch {
    // The error may come from an agent's own code, and throw when it is read.
    return otherwise;
  }
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof Error && TIMEOUTS.has(reason.name);
}

/** One tool call, hooks and validation included. */
export class ToolSpan {
  readonly #tracer: Tracer;
  readonly span: Span;

  constructor(
    { tracer, parent, agent, contextId }: TurnTrace,
    { id, name, input }: ToolUseBlock,
    tool: Tool | undefined,
  ) {
    this.#tracer = tracer;
    // The model may make up a name of any length.
    const shown = tool?.name ?? tracer.content(() => name)?.slice(0, MAX_NAME) ?? "unknown";
    this.span = tracer.start({
      name: SPAN.tool(shown),
      parent,
      attributes: defined({
        [GEN_AI.operation]: OPERATION.executeTool,
        [GEN_AI.toolName]: shown,
        [GEN_AI.toolType]: "function",
        [GEN_AI.toolCallId]: shortId(id),
        [GEN_AI.toolDescription]: tool?.description.slice(0, 200),
        [GEN_AI.conversation]: shortId(contextId),
        [GEN_AI.agentName]: agent,
        [TROUPE.toolReadOnly]: tool?.annotations.readOnly,
        [TROUPE.toolIdempotent]: tool?.annotations.idempotent,
        [GEN_AI.toolArguments]: tracer.content(() => JSON.stringify(input)),
      }),
    });
  }

  /** The input, where a hook or a person changed it. */
  changed(input: unknown): void {
    const text = this.#tracer.content(() => JSON.stringify(input));
    if (text !== undefined) this.span.setAttribute(GEN_AI.toolArguments, text);
  }

  /** Keeps the stack of what the tool threw. */
  threw(error: unknown): void {
    const stack = stackOf(error);
    this.span.recordException({ name: nameOf(error), message: reasonOf(error), stack });
  }

  end(content: string, errorType: string | undefined): void {
    const text = this.#tracer.content(() => content);
    if (text !== undefined) this.span.setAttribute(GEN_AI.toolResult, text);
    if (errorType !== undefined) fail(this.#tracer, this.span, errorType, content);
    this.span.end();
  }

  /** Ends the span: the call resumes under another one, once these are answered. */
  waits(approvals: readonly Approval[]): void {
    this.span.setAttribute(APPROVAL.id, approvals.map(({ id }) => shortId(id)).join(" ")).end();
  }

  giveUp(error: unknown, signal: AbortSignal): void {
    failAborted(this.#tracer, this.span, error, signal, nameOf(error)).end();
  }
}
