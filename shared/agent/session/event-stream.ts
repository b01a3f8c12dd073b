// Streams the events of an operation: Server-Sent Events in the form of its binding (A2A 1.0, sections 9.4.2 and 11.7). Some clients give
// up after five seconds without a byte, agents after fifteen, so a silent stream sends comments, which no client sees as events.
import { formatSSEErrorEvent, formatSSEEvent } from "@a2a-js/sdk";
import { restStatusFor, toJsonRpcError, toRestErrorBody } from "@a2a-js/sdk/errors";
import type { Operation, Streamed } from "../rpc.ts";
import { errorReply, replyTo, type JsonRpcResponse } from "../reply.ts";

/** Silence after which a comment is sent, in milliseconds. */
const SILENCE_MS = 2_000;
const COMMENT = new TextEncoder().encode(": keep-alive\n\n");

export interface StreamOptions {
  /** Called when nobody reads the stream any more. */
  readonly onGone: () => void;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** Waits for the first event, so that an operation that fails at once gets an HTTP status. Later events follow as they come. */
export async function toStream(
  handled: JsonRpcResponse | AsyncGenerator<JsonRpcResponse, void, undefined>,
  operation: Operation,
  { onGone, waitUntil }: StreamOptions,
): Promise<Streamed> {
  if (!(Symbol.asyncIterator in handled)) return { reply: replyTo(operation, handled) };
  let first: IteratorResult<JsonRpcResponse, void>;
  try {
    first = await handled.next();
  } catch (error) {
    return { reply: errorReply(operation, error) };
  }
  const { readable, writable } = new IdentityTransformStream();
  const frames = new Frames(writable.getWriter(), onGone);
  const silence = frames.fillSilence();
  waitUntil(write(first, handled, operation, frames).finally(() => silence.stop()));
  return { stream: readable };
}

async function write(
  first: IteratorResult<JsonRpcResponse, void>,
  rest: AsyncGenerator<JsonRpcResponse, void, undefined>,
  operation: Operation,
  frames: Frames,
): Promise<void> {
  try {
    for (let next = first; !next.done; next = await rest.next()) {
      const event = operation.binding === "JSONRPC" ? next.value : next.value.result;
      await frames.write(formatSSEEvent(event));
    }
    await frames.close();
  } catch (error) {
    // Usually the client has gone. Where it has not, it learns why its stream ends. The turn continues either way.
    await frames.write(errorFrame(error, operation)).then(
      () => frames.close(),
      () => frames.abort(error),
    );
  } finally {
    await rest.return();
  }
}

class Frames {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #encoder = new TextEncoder();
  /** Milliseconds since the epoch. */
  #writtenAt = Date.now();
  #isWriting = false;

  constructor(writer: WritableStreamDefaultWriter<Uint8Array>, onGone: () => void) {
    this.#writer = writer;
    writer.closed.catch(onGone);
  }

  async write(frame: string): Promise<void> {
    return this.#send(this.#encoder.encode(frame));
  }

  async close(): Promise<void> {
    return this.#writer.close();
  }

  async abort(reason: unknown): Promise<void> {
    return this.#writer.abort(reason);
  }

  /** Sends a comment after each silence. A reader that still has to take the last frame gets none. */
  fillSilence(): { stop(): void } {
    const look = () => {
      const leftMs = this.#writtenAt + SILENCE_MS - Date.now();
      // Where the client has gone, this fails, and with it the writer.
      if (leftMs <= 0 && !this.#isWriting) this.#send(COMMENT).catch(() => {});
      timer = setTimeout(look, leftMs > 0 ? leftMs : SILENCE_MS);
    };
    let timer = setTimeout(look, SILENCE_MS);
    return { stop: () => clearTimeout(timer) };
  }

  async #send(bytes: Uint8Array): Promise<void> {
    this.#isWriting = true;
    try {
      await this.#writer.write(bytes);
    } finally {
      this.#isWriting = false;
      this.#writtenAt = Date.now();
    }
  }
}

function errorFrame(error: unknown, { binding, id }: Operation): string {
  if (binding === "JSONRPC") return formatSSEEvent({ jsonrpc: "2.0", id, error: toJsonRpcError(error) });
  return formatSSEErrorEvent(toRestErrorBody(error, restStatusFor(error)));
}
