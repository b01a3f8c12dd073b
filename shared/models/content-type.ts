// Checks the content type of an answer: an event stream, or one JSON message from servers without streams. Refuses
// anything else for good: the address is no Messages API.
import * as z from "zod";
import { parseJson } from "../text/parse-json.ts";
import { ModelError } from "./model.ts";
import type { ServerSentEvent } from "./server-sent-events.ts";

const STREAM = "text/event-stream";
const JSON_TYPE = "application/json";
/** A well-formed media type; other text is not shown to anybody. */
const MEDIA_TYPE = /^[a-z0-9.+-]{1,60}\/[a-z0-9.+-]{1,60}$/;

interface Event {
  readonly type: string;
  readonly [field: string]: unknown;
}

const Block = z.looseObject({ type: z.string() });
const Message = z.looseObject({ type: z.literal("message"), content: z.array(Block) });
const Failure = z.object({ error: z.looseObject({ message: z.string() }) });

/** Whether an answer is a stream, or else one JSON message. Throws ModelError for any other content. */
export function isStream({ headers }: Response): boolean {
  const type = essence(headers);
  // Absent counts as a stream.
  if (type === STREAM || type === "") return true;
  if (type === JSON_TYPE) return false;
  const named = MEDIA_TYPE.test(type) ? type : "something else";
  throw new ModelError(
    "wrong_address",
    `The model API answered with ${named}, not with an event stream (${STREAM}): set ANTHROPIC_BASE_URL to the address of a Messages API and deploy again.`,
  );
}

/** The media type without parameters, in lower case. */
function essence(headers: Headers): string {
  return (headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

/** The events of an answer that came as one JSON message. Throws ModelError where it is none. */
export function eventsOf(json: string): ServerSentEvent[] {
  const value = parseJson(json.replace(/^\uFEFF/, ""));
  const failure = Failure.safeParse(value).data;
  if (failure) return [toEvent({ ...failure, type: "error" })];
  const message = Message.safeParse(value).data;
  if (!message)
    throw new ModelError(
      "broken_stream",
      "The model API answered with JSON that is no message: see whether ANTHROPIC_BASE_URL is the address of a Messages API.",
      { retryable: false },
    );
  const { content, stop_reason = null, usage = {}, ...rest } = message;
  return [
    { type: "message_start", message: { id: "", model: "", ...rest, content: [], usage } },
    ...content.flatMap(blockEvents),
    { type: "message_delta", delta: { stop_reason }, usage },
    { type: "message_stop" },
  ].map(toEvent);
}

/** Sends text as a delta, which clients of an answer watch. */
function blockEvents(block: z.infer<typeof Block>, index: number): Event[] {
  const { text } = block;
  const isText = block.type === "text" && typeof text === "string";
  const begin = { type: "content_block_start", index, content_block: isText ? { ...block, text: "" } : block };
  const delta = { type: "content_block_delta", index, delta: { type: "text_delta", text } };
  return [begin, ...(isText ? [delta] : []), { type: "content_block_stop", index }];
}

function toEvent(event: Event): ServerSentEvent {
  return { name: event.type, data: JSON.stringify(event) };
}
