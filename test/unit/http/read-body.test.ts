// Bodies whose sender decides how large and how slow they are.
import { expect, test } from "vitest";

import { readRequest } from "#shared/http/read-body.ts";

function sent(body: ReadableStream<Uint8Array> | string, headers: Record<string, string> = {}): Request {
  return new Request("http://localhost/", { method: "POST", body, headers, duplex: "half" } as RequestInit);
}

/** Sends a byte now and then, and never ends. */
function dripping(): ReadableStream<Uint8Array> {
  let timer: ReturnType<typeof setInterval> | undefined;
  return new ReadableStream({
    start: (controller) => {
      timer = setInterval(() => controller.enqueue(new Uint8Array(1)), 5);
    },
    cancel: () => clearInterval(timer),
  });
}

test("a body is read whole", async () => {
  expect(await readRequest(sent("hello"), 5)).toEqual(new TextEncoder().encode("hello"));
  expect(await readRequest(new Request("http://localhost/"), 5)).toEqual(new Uint8Array());
});

test("a body that says it is too long is not read, and one that does not say so is cut off", async () => {
  const untouched = new ReadableStream({ pull: () => expect.unreachable() }, { highWaterMark: 0 });
  expect(await readRequest(sent(untouched, { "content-length": "6" }), 5)).toBe("too-large");
  expect(await readRequest(sent(dripping()), 5)).toBe("too-large");
});

test("a body that comes too slowly is given up, with and without a length", async () => {
  expect(await readRequest(sent(dripping()), 1e6, 20)).toBe("too-slow");
  expect(await readRequest(sent(dripping(), { "content-length": "100000" }), 1e6, 20)).toBe("too-slow");
});
