// The events of one answer as they come: of an event stream, or of the one JSON message of servers without streams.
import { AnthropicError } from "@anthropic-ai/sdk/core/error";
import type { RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages/messages";
import { eventsOf, isStream } from "./content-type.ts";
import { connectionLost } from "./model-errors.ts";
import { EventReader } from "./server-sent-events.ts";
import { knownEvents } from "./stream-event.ts";
import { MAX_PIECE, tooMuch, type WatchedBody } from "./watched-body.ts";

/**
 * The known events, in batches of what came at once. Throws ModelError for what is no answer, APIError for an error event,
 * and what reading throws.
 */
export async function* answerIn(
  response: Response,
  body: WatchedBody,
): AsyncGenerator<Iterable<RawMessageStreamEvent>, void, undefined> {
  const { headers } = response;
  if (!isStream(response)) {
    yield knownEvents(eventsOf(await wholeText(body)), headers);
    return;
  }
  if (!response.body) throw new AnthropicError("Attempted to iterate over a response with no body");
  const reader = new EventReader();
  for (let chunk = await body.read(); chunk !== undefined; chunk = await body.read())
    yield knownEvents(reader.push(chunk), headers);
  yield knownEvents(reader.end(), headers);
}

/** Until it is whole, nothing of the answer is known to have come. */
async function wholeText(body: WatchedBody): Promise<string> {
  const { text, isCut } = await body.text(MAX_PIECE).catch((error: unknown) => {
    throw connectionLost(error);
  });
  if (isCut) throw tooMuch();
  return text;
}
