// The span of one tool call, in the names of the GenAI conventions.
import type { ToolUseBlock } from "@anthropic-ai/sdk/resources/messages/messages";
import { APPROVAL, GEN_AI, OPERATION, SPAN, TROUPE } from "../tracing/names.ts";
import { reasonOf, stackOf } from "../text/reason.ts";
import { defined, fail, shortId, type Span, type Tracer } from "../tracing/tracer.ts";
import type { Approval } from "./approval.ts";
import type { Tool } from "./tool.ts";
import type { TurnTrace } from "./turn-trace.ts";
import { MAX_NAME, failAborted, nameOf } from "./spans.ts";

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
    // A name that the model made up is its words, and may be of any length.
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

  /** The input that the tool ran with, where a hook has changed it. */
  changed(input: unknown): void {
    const text = this.#tracer.content(() => JSON.stringify(input));
    if (text !== undefined) this.span.setAttribute(GEN_AI.toolArguments, text);
  }

  /** What the tool's own code threw, and where. */
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

  /** The call goes on when these are answered, under a span of its own: the wait is no work. */
  waits(approvals: readonly Approval[]): void {
    this.span.setAttribute(APPROVAL.id, approvals.map(({ id }) => shortId(id)).join(" ")).end();
  }

  giveUp(error: unknown, signal: AbortSignal): void {
    failAborted(this.#tracer, this.span, error, signal, nameOf(error)).end();
  }
}
