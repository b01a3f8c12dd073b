// Parses streamed events and checks them against the shapes that the loop relies on: not every server speaks the
// Messages API well.
import { APIError } from "@anthropic-ai/sdk/core/error";
import type { RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages/messages";
import * as z from "zod";
import { parseJson } from "../text/parse-json.ts";
import { ModelError } from "./model.ts";
import type { ServerSentEvent } from "./server-sent-events.ts";

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
type Name = keyof typeof EVENTS;

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
 * The known events among these, each parsed when it is asked for: what stands before a broken one counts. The type in an
 * event's data counts, since some servers leave its name out. Throws ModelError for a malformed event, and APIError for an
 * error event.
 */
export function* knownEvents(
  sent: readonly ServerSentEvent[],
  headers: Headers,
): Generator<RawMessageStreamEvent, void, undefined> {
  for (const { name, data } of sent) {
    if (data === DONE || name === "ping") continue;
    const event = parseJson(data);
    const type = isObject(event) ? event["type"] : undefined;
    if (name === "error" || type === "error") throw errorOf(event ?? data, headers);
    if (typeof type !== "string") throw new ModelError("broken_stream", "The model sent an event that has no type.");
    // Later versions of the API may send others.
    if (isName(type) && isEvent(event, type)) yield event;
  }
}

function errorOf(body: unknown, headers: Headers): APIError {
  const said = typeof body === "object" && body !== null ? body : { error: { message: String(body) } };
  return new APIError(undefined, said, undefined, headers);
}

function isName(type: string): type is Name {
  return Object.hasOwn(EVENTS, type);
}

/** Throws ModelError where the event is malformed. */
function isEvent(event: unknown, type: Name): event is RawMessageStreamEvent {
  if (fits(event, type)) return true;
  const { error } = EVENTS[type].safeParse(event);
  if (!error) return true;
  throw new ModelError("broken_stream", `The model sent a malformed event ${type}: ${z.prettifyError(error)}`);
}

/** Whether zod would take the event, in a fraction of its time. What fits here fits there. */
function fits(event: unknown, type: Name): boolean {
  if (!isObject(event)) return false;
  switch (type) {
    case "content_block_delta":
      return isIndex(event["index"]) && isDelta(event["delta"]);
    case "content_block_start":
      return isIndex(event["index"]) && isBlock(event["content_block"]);
    case "content_block_stop":
      return isIndex(event["index"]);
    case "message_start":
      return isObject(event["message"]) && isShort(event["message"]["id"]) && isShort(event["message"]["model"]);
    case "message_delta":
      return isObject(event["delta"]);
    case "message_stop":
      return true;
  }
}

function isDelta(delta: unknown): boolean {
  if (!isObject(delta)) return false;
  switch (delta["type"]) {
    case "text_delta":
      return typeof delta["text"] === "string";
    case "thinking_delta":
      return typeof delta["thinking"] === "string";
    case "signature_delta":
      return typeof delta["signature"] === "string";
    case "input_json_delta":
      return typeof delta["partial_json"] === "string";
    default:
      return typeof delta["type"] === "string";
  }
}

function isBlock(block: unknown): boolean {
  if (!isObject(block)) return false;
  switch (block["type"]) {
    case "text":
      return isText(block["text"]);
    case "tool_use":
      return isText(block["id"]) && isShort(block["name"]);
    default:
      return typeof block["type"] === "string";
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isIndex(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isShort(value: unknown): boolean {
  return typeof value === "string" && value.length <= MAX_NAME;
}

function isText(value: unknown): boolean {
  return typeof value === "string" || value === null || value === undefined;
}
