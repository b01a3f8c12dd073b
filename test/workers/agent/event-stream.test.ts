// Streams that are silent: what fills them, and how they end when their reader has gone.
import { expect, it } from "vitest";
import type { JsonRpcResponse } from "#shared/agent/reply.ts";
import { toStream } from "#shared/agent/session/event-stream.ts";

const OPERATION = { binding: "JSONRPC", id: 1, method: "SubscribeToTask", params: {} } as const;

/** One event, and then nothing. */
async function* once(): AsyncGenerator<JsonRpcResponse, void, undefined> {
  yield { jsonrpc: "2.0", id: 1, result: { task: {} } };
  await new Promise(() => undefined);
}

async function begin() {
  const seen = { gone: 0 };
  const streamed = await toStream(once(), OPERATION, {
    onGone: () => void seen.gone++,
    waitUntil: () => undefined,
  });
  if (!("stream" in streamed)) throw new Error("There is no stream.");
  const reader = streamed.stream.getReader();
  const next = async () => new TextDecoder().decode((await reader.read()).value);
  expect(await next()).toMatch(/^data: /);
  return { reader, next, seen };
}

it("silence is filled with comments", async () => {
  const { next, reader } = await begin();
  expect(await next()).toBe(": keep-alive\n\n");
  expect(await next()).toBe(": keep-alive\n\n");
  await reader.cancel();
});

it("a reader that has gone is noticed without an event", async () => {
  const { reader, seen } = await begin();
  await reader.cancel();
  await expect.poll(() => seen.gone).toBe(1);
});
