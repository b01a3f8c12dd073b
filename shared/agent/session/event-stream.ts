// Streams the events of an operation: Server-Sent Events in the form of its binding (A2A 1.0, sections 9.4.2 and 11.7).
import { formatSSEErrorEvent, formatSSEEvent } from "@a2a-js/sdk";
import { restStatusFor, toJsonRpcError, toRestErrorBody } from "@a2a-js/sdk/errors";
import type { Operation, Streamed } from "../rpc.ts";
import { errorReply, replyTo, type JsonRpcResponse } from "../reply.ts";

/** Waits for the first event, so that an operation that fails at once gets an HTTP status. Later events follow as they come. */
export async function toStream(
  handled: JsonRpcResponse | AsyncGenerator<JsonRpcResponse, void, undefined>,
  operation: Operation,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<Streamed> {
  if (!(Symbol.asyncIterator in handled)) return { reply: replyTo(operation, handled) };
  let first: IteratorResult<JsonRpcResponse, void>;
  try {
    first = await handled.next();
  } catch (error) {
    return { reply: errorReply(operation, error) };
  }
  const { readable, writable } = new IdentityTransformStream();
  waitUntil(write(first, handled, operation, writable));
  return { stream: readable };
}

async function write(
  first: IteratorResult<JsonRpcResponse, void>,
  rest: AsyncGenerator<JsonRpcResponse, void, undefined>,
  operation: Operation,
  writable: WritableStream<Uint8Array>,
): Promise<void> {
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  try {
    for (let next = first; !next.done; next = await rest.next()) {
      const event = operation.binding === "JSONRPC" ? next.value : next.value.result;
      await writer.write(encoder.encode(formatSSEEvent(event)));
    }
    await writer.close();
  } catch (error) {
    // Usually the client has gone. Where it has not, it learns why its stream ends. The turn continues either way.
    await writer.write(encoder.encode(errorFrame(error, operation))).then(
      () => writer.close(),
      () => writer.abort(error),
    );
  } finally {
    await rest.return();
  }
}

function errorFrame(error: unknown, { binding, id }: Operation): string {
  if (binding === "JSONRPC") return formatSSEEvent({ jsonrpc: "2.0", id, error: toJsonRpcError(error) });
  return formatSSEErrorEvent(toRestErrorBody(error, restStatusFor(error)));
}
