// Documents: which files of a folder they are, what must be sent, and in which groups.
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { batches, difference, MAX_BYTES, MAX_FILES } from "../../../scripts/corpus/batches.ts";
import { readCorpus } from "../../../scripts/corpus/walk.ts";
import { recordedIo } from "./io.ts";

const file = (path: string, hash: string) => ({ path, hash });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-corpus-"));
});
afterEach(async () => rm(folder, { recursive: true }));

async function put(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(join(folder, path, ".."), { recursive: true });
  await writeFile(join(folder, path), content);
}

describe("a folder", () => {
  test("is read to the bottom; paths have forward slashes, types come from names", async () => {
    await put("b/c/page.HTM", "<p>x</p>");
    await put("a.md", "x");
    await put("b/note.txt", "y");
    const { documents, root } = await readCorpus(folder, "some\\folder\\", recordedIo());
    expect(root).toBe("some/folder");
    expect(documents.map(({ path, type, bytes }) => [path, type, bytes])).toEqual([
      ["a.md", "md", 1],
      ["b/c/page.HTM", "html", 8],
      ["b/note.txt", "txt", 1],
    ]);
  });
  test("other types and binaries in disguise are counted, hidden folders are not looked into", async () => {
    await put("a.md", "x");
    await put("image.png", "x");
    await put("disguised.md", Uint8Array.of(65, 0, 66));
    await put(".git/config.txt", "x");
    await put("node_modules/x/readme.md", "x");
    const { documents, skipped } = await readCorpus(folder, "f", recordedIo());
    expect([documents.map(({ path }) => path), skipped]).toEqual([["a.md"], 2]);
  });
  test("a link to its own parent does not go round for ever", { skip: process.platform === "win32" }, async () => {
    await put("deep/a.md", "x");
    await symlink("..", join(folder, "deep", "up"));
    expect((await readCorpus(folder, "f", recordedIo())).documents).toHaveLength(1);
  });
  test("the hash changes with the content and with nothing else", async () => {
    await put("a.md", "x");
    await put("b.md", "x");
    const [a, b] = (await readCorpus(folder, "f", recordedIo())).documents;
    expect(a?.hash).toBe(b?.hash);
    await put("b.md", "y");
    expect((await readCorpus(folder, "f", recordedIo())).documents[1]?.hash).not.toBe(a?.hash);
  });
  // The superuser may read everything, and Windows has no such permission.
  test.skipIf(process.platform === "win32" || process.getuid?.() === 0)("that may not be read is named", async () => {
    await put("closed/a.md", "x");
    await chmod(join(folder, "closed"), 0o000);
    await expect(readCorpus(folder, "docs", recordedIo())).rejects.toThrow(/closed may not be read/);
    await chmod(join(folder, "closed"), 0o700);
  });
  test("reading it can be interrupted", async () => {
    await put("a.md", "x");
    await expect(readCorpus(folder, "f", recordedIo(AbortSignal.abort(new Error("enough"))))).rejects.toThrow("enough");
  });
});

describe("what is sent", () => {
  test("is what is new or different, and removed what is gone", () => {
    const here = [file("same", "1"), file("changed", "2"), file("new", "3")];
    const there = [file("same", "1"), file("changed", "1"), file("gone", "4")];
    expect(difference(here, there)).toEqual({ send: [file("changed", "2"), file("new", "3")], remove: ["gone"] });
  });
  test("comes in groups of at most a megabyte and two hundred files", () => {
    const small = Array.from({ length: 450 }, () => ({ bytes: 10 }));
    expect(batches(small).map(({ length }) => length)).toEqual([MAX_FILES, MAX_FILES, 50]);
    const large = [{ bytes: MAX_BYTES - 1 }, { bytes: 2 }, { bytes: 5 * MAX_BYTES }, { bytes: 1 }];
    expect(batches(large).map((group) => group.map(({ bytes }) => bytes))).toEqual([
      [MAX_BYTES - 1],
      [2],
      [5 * MAX_BYTES],
      [1],
    ]);
    expect(batches([])).toEqual([]);
  });
});
