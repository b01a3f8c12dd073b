import { expect, test } from "vitest";
import { TextMemory } from "#shared/retrieval/text-memory.ts";

/** A memory whose values take so many bytes each, and the texts that it had worked out. */
function memory(maxBytes: number, bytes = 0) {
  const workedOut: string[] = [];
  const kept = new TextMemory<string>(maxBytes, () => bytes);
  const ask = (text: string) =>
    kept.of(text, (own) => {
      workedOut.push(own);
      return own.toUpperCase();
    });
  return { ask, workedOut };
}

test("a text is worked out once", () => {
  const { ask, workedOut } = memory(10_000);
  expect([ask("tide"), ask("moon"), ask(["ti", "de"].join(""))]).toEqual(["TIDE", "MOON", "TIDE"]);
  expect(workedOut).toEqual(["tide", "moon"]);
});

test("what was used last stays when the memory is full, and the rest goes", () => {
  const { ask, workedOut } = memory(10_000, 1000);
  for (let n = 0; n < 100; n++) {
    ask("often");
    ask(`once ${n}`);
  }
  expect(workedOut.filter((text) => text === "often")).toHaveLength(1);
  ask("once 99");
  ask("once 0");
  expect(workedOut).toHaveLength(1 + 100 + 1);
});

test.for([
  ["a long text", "x".repeat(16_001), 0],
  ["a text with a large value", "x", 100_000],
] as const)("%s is not kept", ([, text, bytes]) => {
  const { ask, workedOut } = memory(100_000, bytes);
  expect(ask(text)).toBe(text.toUpperCase());
  ask(text);
  expect(workedOut).toHaveLength(2);
});
