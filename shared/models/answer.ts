// The events of one answer as they come.
import { AnthropicError } from "@anthropic-ai/sdk/core/error";
import type { RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages/messages";
import { EventReader } from "./server-sent-events.ts";
import { knownEvents } from "./stream-event.ts";

/**
 * The known events, in batches of what came at once. Throws ModelError for a malformed event, APIError for an error event,
 * and what reading throws.
 */
export async function* answerIn({
  body,
  headers,
}: Response): AsyncGenerator<Iterable<RawMessageStreamEvent>, void, undefined> {
  if (!body) throw new AnthropicError("Attempted to iterate over a response with no body");
  const events = new EventReader();
  const bytes: ReadableStream<Uint8Array> = body;
  const reader = bytes.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read())
      yield knownEvents(events.push(read.value), headers);
    yield knownEvents(events.end(), headers);
  } finally {
    await reader.cancel();
  }
}
