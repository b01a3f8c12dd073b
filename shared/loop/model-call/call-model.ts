// One model call: events of the Messages API in, one whole assistant message out. Text is passed on as it comes.
import { ModelError, type Model, type ModelRequest } from "../../models/model.ts";
import { Assembly } from "./assembly.ts";
import { toolUseIds } from "../log/tool-use-ids.ts";
import type { AssistantStep } from "../log/step.ts";
import type { LoopEvent } from "../event.ts";
import { ChatSpan } from "../spans/call-spans.ts";
import type { TurnTrace } from "../spans/turn-trace.ts";
import { untilAborted } from "../../resilience/until-aborted.ts";

/** Accounts for each attempt of a call. */
export interface Meter {
  /** Called before the attempt. Resolves to the most tokens of its answer; undefined: the model's own limit. A rejection prevents the attempt. */
  begin(): Promise<number | undefined>;
  /** `began`: an answer had begun, so its cost is not known. */
  failed(began: boolean): Promise<void>;
}

const RETRY_PAUSES_MS = [250, 1000];

/**
 * Makes the call, and retries it from its start when it broke in mid-stream (the client retries only before that). Tool calls get
 * new ids where theirs are among `usedIds` or in the request's messages.
 * Throws ModelError when no retry is left, or the signal's reason.
 */
export async function callModel(
  model: Model,
  request: ModelRequest,
  turn: number,
  signal: AbortSignal,
  emit: (event: LoopEvent) => void,
  trace: TurnTrace,
  meter?: Meter,
  usedIds: () => Iterable<string> = () => [],
): Promise<AssistantStep> {
  for (let attempt = 1; ; attempt++) {
    const maxTokens = await meter?.begin();
    const limited = maxTokens === undefined ? request : { ...request, maxTokens };
    emit({ type: "model_start", turn, attempt });
    const span = new ChatSpan(trace, model, limited, attempt);
    try {
      const message = await collect(model, limited, signal, emit, span, usedIds);
      span.end(message);
      emit({ type: "model_end", turn, usage: message.usage });
      return message;
    } catch (error) {
      span.fail(error, signal);
      await meter?.failed(span.hasBegun || signal.aborted || mayHaveBegun(error));
      signal.throwIfAborted();
      const delayMs = (model.retryPausesMs ?? RETRY_PAUSES_MS)[attempt - 1];
      if (!(error instanceof ModelError) || !error.retryable || delayMs === undefined) throw error;
      emit({ type: "model_retry", code: error.code, delayMs });
      await untilAborted(new Promise((resolve) => setTimeout(resolve, delayMs)), signal);
    }
  }
}

/** Whether the API may have worked on a call of which no answer came. */
export function mayHaveBegun(error: unknown): boolean {
  return !(error instanceof ModelError) || error.mayHaveBegun;
}

async function collect(
  model: Model,
  request: ModelRequest,
  signal: AbortSignal,
  emit: (event: LoopEvent) => void,
  span: ChatSpan,
  usedIds: () => Iterable<string>,
): Promise<AssistantStep> {
  const assembly = new Assembly(model.name);
  for await (const event of model.stream(request, signal, (notice) => span.noticed(notice))) {
    span.heard();
    assembly.add(event);
    if (event.type === "message_start") span.named(event.message.id);
    if (event.type === "message_start" || event.type === "message_delta") span.used(assembly.usage);
    if (event.type === "message_stop") return assembly.finish(() => [...toolUseIds(request.messages), ...usedIds()]);
    if (event.type === "content_block_delta" && event.delta.type === "text_delta")
      emit({ type: "text_delta", text: event.delta.text });
  }
  throw new ModelError("broken_stream", "The model's answer ended before it was complete.");
}
