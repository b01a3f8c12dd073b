import { expect, it } from "vitest";
import { revocable } from "#shared/agent/front-door/revocable.ts";

const LOOK_MS = 5;
const bytes = (text: string) => new TextEncoder().encode(text);

/** A stream that says `hello` and stays open until `close` is called. */
function open() {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  void writer.write(bytes("hello")).catch(() => undefined);
  return {
    readable,
    close: async () => writer.close(),
    broken: writer.closed.then(
      () => false,
      () => true,
    ),
  };
}

it("a stream goes on while its key counts, and ends as it would have", async () => {
  let looks = 0;
  const { readable, close } = open();
  const text = new Response(revocable(readable, async () => ++looks > 0, LOOK_MS)).text();
  await expect.poll(() => looks).toBeGreaterThan(2);
  await close();
  expect(await text).toBe("hello");
});

it("a stream breaks off when its key does not count any more, on both sides", async () => {
  const { readable, broken } = open();
  await expect(new Response(revocable(readable, async () => false, LOOK_MS)).text()).rejects.toThrow(/does not count/);
  expect(await broken).toBe(true);
});
