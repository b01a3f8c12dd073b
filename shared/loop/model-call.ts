// One model call: events of the Messages API in, one whole assistant message out, text passed on as it comes.
import { ModelError, type Model, type ModelRequest } from "../models/model.ts";
import { Assembly, type AssistantStep } from "./assembly.ts";
import type { LoopEvent } from "./event.ts";
import { ChatSpan, type TurnTrace } from "./spans.ts";
import { toolUseIds } from "./tool-use-ids.ts";
import { untilAborted } from "./until-aborted.ts";

export type { AssistantStep };

/** Accounts for each attempt of a call. */
export interface Meter {
  /** Before the attempt: the most its answer may have, in tokens; the model's own when undefined. May throw, then it is not made. */
  begin(): Promise<number | undefined>;
  /** `began`: an answer had begun, so what it has cost is not known. */
  failed(began: boolean): Promise<void>;
}

const RETRY_PAUSES_MS = [250, 1000];

/**
 * Makes the call, and makes it again from its start when it broke in mid-stream (the client retries only before that). Calls of
 * tools whose ids are among `usedIds`, or in the request's messages, get other ones.
 * Throws ModelError when it failed for good, or the signal's reason.
 */
export async function callModel(
  model: Model,
  request: ModelRequest,
  turn: number,
  signal: AbortSignal,
  emit: (event: LoopEvent) => void,
  trace: TurnTrace,
  meter?: Meter,
  usedIds: Iterable<string> = [],
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

/** Whether the API may have worked on a call although nothing of an answer came. */
export function mayHaveBegun(error: unknown): boolean {
  return !(error instanceof ModelError) || error.mayHaveBegun;
}

async function collect(
  model: Model,
  request: ModelRequest,
  signal: AbortSignal,
  emit: (event: LoopEvent) => void,
  span: ChatSpan,
  usedIds: Iterable<string>,
): Promise<AssistantStep> {
  const assembly = new Assembly(model.name);
  for await (const event of model.stream(request, signal, (notice) => span.noticed(notice))) {
    span.heard();
    assembly.add(event);
    if (event.type === "message_start") span.named(event.message.id);
    if (event.type === "message_start" || event.type === "message_delta") span.used(assembly.usage);
    if (event.type === "message_stop") return assembly.finish(new Set([...toolUseIds(request.messages), ...usedIds]));
    if (event.type === "content_block_delta" && event.delta.type === "text_delta")
      emit({ type: "text_delta", text: event.delta.text });
  }
  throw new ModelError("broken_stream", "The model's answer ended before it was complete.");
}
