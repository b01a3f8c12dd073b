// Parses streamed events and checks them against the shapes that the loop relies on: not every server speaks the
// Messages API well.
import { AnthropicError, APIError } from "@anthropic-ai/sdk/core/error";
import type { RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages/messages";
import * as z from "zod";
import { parseJson } from "../text/parse-json.ts";
import { ModelError } from "./model.ts";
import { EventReader, type ServerSentEvent } from "./server-sent-events.ts";

/** Characters of ids and names in an answer. */
const MAX_NAME = 256;

const Typed = z.object({ type: z.string() });
const index = z.int().nonnegative();
const DELTAS = {
  text_delta: z.object({ text: z.string() }),
  thinking_delta: z.object({ thinking: z.string() }),
  signature_delta: z.object({ signature: z.string() }),
  input_json_delta: z.object({ partial_json: z.string() }),
};
const BLOCKS = {
  text: z.object({ text: z.string().nullish() }),
  tool_use: z.object({ id: z.string().nullish(), name: z.string().max(MAX_NAME) }),
};
const EVENTS = {
  message_start: z.object({ message: z.object({ id: z.string().max(MAX_NAME), model: z.string().max(MAX_NAME) }) }),
  content_block_start: z.object({ index, content_block: typed(BLOCKS) }),
  content_block_delta: z.object({ index, delta: typed(DELTAS) }),
  content_block_stop: z.object({ index }),
  message_delta: z.object({ delta: z.object({}) }),
  message_stop: z.object({}),
};

/** An object with a `type`. Must fit the type's shape, if there is one. */
function typed(shapes: Readonly<Record<string, z.ZodType>>): z.ZodType {
  return Typed.loose().check((context) => {
    const shape = Object.hasOwn(shapes, context.value.type) ? shapes[context.value.type] : undefined;
    const parsed = shape?.safeParse(context.value);
    if (parsed?.error)
      context.issues.push({ code: "custom", input: context.value, message: z.prettifyError(parsed.error) });
  });
}

/** The end marker of other APIs' streams. */
const DONE = "[DONE]";

/**
 * The parsed events of an answer as they come; undefined for invalid JSON. The type in an event's data counts, since
 * some servers leave its name out. Throws APIError for an error event.
 */
export async function* eventsIn(response: Response): AsyncGenerator {
  for await (const { name, data } of sentIn(response)) {
    if (data === DONE || name === "ping") continue;
    const value = parseJson(data);
    if (name === "error" || Typed.safeParse(value).data?.type === "error") throw errorOf(value ?? data, response);
    yield value;
  }
}

async function* sentIn({ body }: Response): AsyncGenerator<ServerSentEvent> {
  if (!body) throw new AnthropicError("Attempted to iterate over a response with no body");
  const events = new EventReader();
  const bytes: ReadableStream<Uint8Array> = body;
  const reader = bytes.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield* events.push(read.value);
    yield* events.end();
  } finally {
    await reader.cancel();
  }
}

function errorOf(body: unknown, { headers }: Response): APIError {
  const said = typeof body === "object" && body !== null ? body : { error: { message: String(body) } };
  return new APIError(undefined, said, undefined, headers);
}

/** False for unknown events, which later versions of the API may send. Throws ModelError for malformed ones. */
export function isKnownEvent(event: unknown): event is RawMessageStreamEvent {
  const type = Typed.safeParse(event).data?.type;
  if (type === undefined) throw new ModelError("broken_stream", "The model sent an event that has no type.");
  if (!isName(type)) return false;
  const { error } = EVENTS[type].safeParse(event);
  if (!error) return true;
  throw new ModelError("broken_stream", `The model sent a malformed event ${type}: ${z.prettifyError(error)}`);
}

function isName(type: string): type is keyof typeof EVENTS {
  return Object.hasOwn(EVENTS, type);
}
