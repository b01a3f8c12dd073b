// A Message as server-sent events in the API's order: message_start, ping, content blocks, message_delta, message_stop.
import type { ContentBlock, Message, RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages/messages";
import { asWhole } from "#shared/http/gate.ts";
import { errorBody } from "./errors.ts";
import type { Fault, Settings } from "./settings.ts";

/** Characters of a piece without a pace, about a line. */
const PIECE_CHARS = 80;
const PACED_CHARS = 12;
const CHARS_PER_TOKEN = 4;
/** How long a stalled connection stays open. */
const STALL_MS = 600_000;

type Event = RawMessageStreamEvent | { type: "ping" };

/** The whole answer: one string without pace and fault, or else each event at its time. */
export function streamMessage(message: Message, settings: Settings, requestId: string): Response {
  const headers = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "request-id": requestId,
  };
  const paced = settings.tokensPerSecond > 0;
  const events = eventsOf(message, paced ? PACED_CHARS : PIECE_CHARS, settings.fault);
  if (!paced && (settings.fault === null || settings.fault === "garbage_tool_input")) {
    return asWhole(new Response(events.map(encode).join(""), { headers }));
  }
  const closed = new AbortController();
  const frames = framesOf(events, settings, requestId, closed.signal);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await frames.next();
      if (next.done) controller.close();
      else controller.enqueue(encoder.encode(next.value));
    },
    cancel() {
      closed.abort();
    },
  });
  return new Response(body, { headers });
}

/** All events of the message, in order. */
function eventsOf(message: Message, pieceChars: number, fault: Fault | null = null): Event[] {
  const start: Message = {
    ...message,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { ...message.usage, output_tokens: 1 },
  };
  return [
    { type: "message_start", message: start },
    { type: "ping" },
    ...message.content.flatMap((block, index) => blockEvents(block, index, pieceChars, fault)),
    {
      type: "message_delta",
      delta: {
        stop_reason: message.stop_reason,
        stop_sequence: message.stop_sequence,
        stop_details: null,
        container: null,
      },
      usage: {
        input_tokens: message.usage.input_tokens,
        output_tokens: message.usage.output_tokens,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        output_tokens_details: null,
        server_tool_use: null,
      },
    },
    { type: "message_stop" },
  ];
}

function blockEvents(block: ContentBlock, index: number, pieceChars: number, fault: Fault | null): Event[] {
  const stop: Event = { type: "content_block_stop", index };
  if (block.type === "text") {
    return [
      { type: "content_block_start", index, content_block: { ...block, text: "" } },
      ...pieces(block.text, pieceChars).map((text): Event => ({
        type: "content_block_delta",
        index,
        delta: { type: "text_delta", text },
      })),
      stop,
    ];
  }
  if (block.type !== "tool_use") return [];
  const json = JSON.stringify(block.input);
  const written = fault === "garbage_tool_input" ? `${json.slice(0, -1)},"broken": tru` : json;
  return [
    { type: "content_block_start", index, content_block: { ...block, input: {} } },
    ...["", ...pieces(written, pieceChars * 25)].map((partial): Event => ({
      type: "content_block_delta",
      index,
      delta: { type: "input_json_delta", partial_json: partial },
    })),
    stop,
  ];
}

/** Encoded events at their pace, with the fault after the first delta. */
async function* framesOf(
  events: readonly Event[],
  settings: Settings,
  requestId: string,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  for (const event of events) {
    const chars = charsOf(event);
    if (settings.tokensPerSecond > 0 && chars > 0) {
      await scheduler.wait((chars / CHARS_PER_TOKEN / settings.tokensPerSecond) * 1000, { signal });
    }
    yield encode(event);
    if (event.type !== "content_block_delta") continue;
    switch (settings.fault) {
      case "cut":
        return;
      case "stall":
        await scheduler.wait(STALL_MS, { signal });
        return;
      case "malformed":
        yield 'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_de\n\n';
        return;
      case "error_event":
        yield `event: error\ndata: ${JSON.stringify(errorBody(529, "Overloaded", requestId))}\n\n`;
        return;
      default:
    }
  }
}

function charsOf(event: Event): number {
  if (event.type !== "content_block_delta") return 0;
  if (event.delta.type === "text_delta") return event.delta.text.length;
  return event.delta.type === "input_json_delta" ? event.delta.partial_json.length : 0;
}

function encode(event: Event): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Cuts near `size` characters, after a space where possible. */
function pieces(text: string, size: number): string[] {
  const cut: string[] = [];
  for (let start = 0; start < text.length;) {
    const space = text.indexOf(" ", start + size);
    const end = space === -1 || space > start + size * 2 ? Math.min(text.length, start + size) : space + 1;
    cut.push(text.slice(start, end));
    start = end;
  }
  return cut;
}
