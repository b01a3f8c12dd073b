// Files that go along with a question.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { filesToSend } from "../../../../../scripts/query/typed/files-to-send.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-files-"));
});
afterAll(async () => rm(folder, { recursive: true }));

test.each([
  ["notes.md", "# Notes", "text/markdown"],
  ["data.json", "{}", "application/json"],
  ["Makefile", "all:\n", "text/plain"],
  ["image.png", Buffer.from([0x89, 0x50, 0, 255]), "image/png"],
  ["unknown.bin", Buffer.from([0, 255, 254]), "application/octet-stream"],
])("%s is sent as its bytes, with its name and media type", async (filename, content, mediaType) => {
  await writeFile(join(folder, filename), content);
  expect(await filesToSend([join(folder, filename)])).toEqual([
    { content: { $case: "raw", value: Buffer.from(content) }, filename, mediaType, metadata: undefined },
  ]);
});

test("what cannot be sent is said, with its path", async () => {
  const large = join(folder, "large.txt");
  await writeFile(large, "x".repeat(400_000));
  await expect(filesToSend([large, large])).rejects.toThrow("is too large: the files of one message may have 700 kB");
  await expect(filesToSend([join(folder, "missing")])).rejects.toThrow("There is no file");
  await expect(filesToSend([folder])).rejects.toThrow("is a folder");
});
