// A question that comes by a pipe.
import { Readable } from "node:stream";
import { expect, test, vi } from "vitest";

import { pipedQuestion } from "../../../../../scripts/query/typed/piped-question.ts";
import { recordedIo } from "../../io.ts";

async function asked(...chunks: (string | Uint8Array)[]): Promise<string> {
  return pipedQuestion(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), "job", recordedIo());
}

test.each([
  ["one line", ["hello\n"], "hello"],
  ["several lines, with their indentation", ["  a\r\n", "b\n\n"], "  a\r\nb"],
  ["a byte order mark", ["\uFEFFhello"], "hello"],
  ["a character in two pieces", [Buffer.from("ö").subarray(0, 1), Buffer.from("ö").subarray(1)], "ö"],
])("a question is read to its end: %s", async (_, chunks, question) => {
  expect(await asked(...chunks)).toBe(question);
});

test.each([
  ["nothing", [], "There is no question: stdin is empty."],
  ["empty lines", ["\n \r\n"], "There is no question: stdin is empty."],
  ["Latin-1", [Buffer.from("Gr\u00fc\u00dfe", "latin1")], "The text on stdin is not UTF-8."],
  ["half a character", [Buffer.from("ö").subarray(0, 1)], "The text on stdin is not UTF-8."],
  ["too much", ["x".repeat(600 * 1024)], "The question has more than 512 KB."],
])("a pipe without a question is refused in words: %s", async (_, chunks, message) => {
  await expect(asked(...chunks)).rejects.toMatchObject({ code: "bad_input", message });
});

test("a pipe without an end is read no further than a question may be long", async () => {
  const endless = new Readable({ read: () => void endless.push(Buffer.alloc(64 * 1024, "x")) });
  await expect(pipedQuestion(endless, "job", recordedIo())).rejects.toThrow("more than 512 KB");
  expect(endless.destroyed).toBe(true);
});

test("a pipe that cannot be read is named", async () => {
  const broken = new Readable({ read: () => void broken.destroy(new Error("EISDIR: illegal operation")) });
  await expect(pipedQuestion(broken, "job", recordedIo())).rejects.toMatchObject({
    code: "bad_input",
    message: "The question cannot be read from stdin: EISDIR: illegal operation",
  });
});

test("an interruption ends the wait for a pipe that says nothing, which was named after a second", async () => {
  const interruption = new AbortController();
  const io = recordedIo(interruption.signal);
  const question = pipedQuestion(new Readable({ read: () => {} }), "job", io);
  question.catch(() => {});
  await vi.waitFor(() => expect(io.notes.join()).toContain("Reading the question from stdin"), 5_000);
  interruption.abort(new Error("Ctrl-C"));
  await expect(question).rejects.toThrow("Ctrl-C");
});
