// Documents: which files of a folder they are, what must be sent, and in which groups.
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { decodeText } from "#shared/text/decode.ts";

import { planJob } from "#jobs/plan/plan.ts";

import { batches, difference, MAX_BYTES, MAX_FILES } from "../../../../scripts/corpus/batches.ts";
import { prepareCorpus } from "../../../../scripts/corpus/prepare.ts";
import { readCorpus } from "../../../../scripts/corpus/walk.ts";
import { jobOf } from "../../jobs/support.ts";
import { recordedIo } from "../io.ts";

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
  test("what is left out is named with its reason: other types, binaries in disguise, hidden folders", async () => {
    await put("a.md", "x");
    await put("image.png", "x");
    await put("disguised.md", Uint8Array.of(65, 0, 66));
    await put(".git/config.txt", "x");
    await put("node_modules/x/readme.md", "x");
    await put("LICENSE", "x");
    await put("id_rsa", "x");
    await put(".env", "x");
    await put("odd.txt", Uint8Array.from([0xc4, 0xe3, 0xba, 0xc3, 0xca, 0xc0]));
    const { documents, leftOut } = await readCorpus(folder, "f", recordedIo());
    expect(documents.map(({ path }) => path)).toEqual(["LICENSE", "a.md"]);
    expect(Object.fromEntries(leftOut.map(({ path, reason }) => [path, reason]))).toEqual({
      ".git/": "is not searched",
      "node_modules/": "is not searched",
      ".env": "has no file extension",
      id_rsa: "has no file extension",
      "image.png": "has a type that is not read (.png)",
      "disguised.md": "is binary",
      "odd.txt": "is in an encoding that cannot be told: save it as UTF-8",
    });
  });
  test("a link to its own parent does not go round for ever", { skip: process.platform === "win32" }, async () => {
    await put("deep/a.md", "x");
    await symlink("..", join(folder, "deep", "up"));
    expect((await readCorpus(folder, "f", recordedIo())).documents).toHaveLength(1);
  });
  test("linked folders are followed once, and never up or round", { skip: process.platform === "win32" }, async () => {
    await put("docs/own/a.md", "x");
    await put("real/linked.md", "x");
    await put("real/deep/b.md", "x");
    const links = { notes: "../real", loop: ".", again: "../real", up: "..", inside: "own", nowhere: "../none" };
    for (const [name, target] of Object.entries(links)) await symlink(target, join(folder, "docs", name));
    await symlink("../real", join(folder, "real", "self"));
    const { documents, leftOut } = await readCorpus(join(folder, "docs"), "docs", recordedIo());
    const paths = documents.map(({ path }) => path.replace(/^(?:notes|again)/, "linked")).toSorted();
    expect(paths).toEqual(["linked/deep/b.md", "linked/linked.md", "own/a.md"]);
    const reasons = new Map(leftOut.map(({ path, reason }) => [path, reason]));
    expect(reasons.get("loop/")).toBe("is a link to a folder that is read already");
    expect(reasons.get("inside/")).toBe("is a link to a folder that is read already");
    expect(reasons.get("up/")).toBe("is a link to a folder above this one");
    expect(reasons.get("nowhere")).toBe("is a link that leads nowhere");
    expect(leftOut).toHaveLength(6);
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

describe("the bytes of a document", () => {
  const utf16 = (text: string, swapped = false) => {
    const bytes = Buffer.from(text, "utf16le");
    return swapped ? bytes.swap16() : bytes;
  };
  const page = (charset: string) => `<html><head><meta charset="${charset}"></head><p>Prüfung im März</p>`;
  test.each<[string, Uint8Array, string]>([
    ["UTF-8", Buffer.from("Brücke, 東京"), "Brücke, 東京"],
    ["UTF-8 with its mark", Buffer.from("\ufeffBrücke"), "Brücke"],
    ["UTF-16 with its mark", utf16("\ufeffmaple-7"), "maple-7"],
    ["UTF-16, big end first, with its mark", utf16("\ufeffmaple-7", true), "maple-7"],
    ["UTF-16 without its mark", utf16("The server is maple-7.\r\n"), "The server is maple-7.\r\n"],
    ["UTF-16, big end first, without its mark", utf16("Маяк на скале.\n", true), "Маяк на скале.\n"],
    ["UTF-16 without its mark or a space", utf16("仓库主管是李明远，他负责仓库。"), "仓库主管是李明远，他负责仓库。"],
    ["Latin-1", Buffer.from("Die Brücke heißt Königsbrücke.", "latin1"), "Die Brücke heißt Königsbrücke."],
    ["Windows-1252", Buffer.from("\x93le c\x9cur\x94 for 5 \x80 today", "latin1"), "“le cœur” for 5 € today"],
    ["a page that declares Latin-1", Buffer.from(page("iso-8859-1"), "latin1"), page("iso-8859-1")],
    ["a page that declares UTF-8 and is not", Buffer.from(page("utf-8"), "latin1"), page("utf-8")],
    ["a page that declares nonsense", Buffer.from(page("nonsense")), page("nonsense")],
  ])("are read as %s", (_, bytes, text) => {
    expect(decodeText(bytes)).toMatchObject({ text });
  });
  test.each<[string, Uint8Array]>([
    ["is binary", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 0x0d, 0)],
    ["is in UTF-32: save it as UTF-8", Uint8Array.of(0xff, 0xfe, 0, 0, 0x41, 0, 0, 0)],
    // Russian in Windows-1251, Polish in ISO 8859-2, Japanese in Shift_JIS
    [
      "is in an encoding that cannot be told: save it as UTF-8",
      Uint8Array.of(0xcc, 0xe0, 0xff, 0xea, 0x20, 0xe3, 0xee, 0xf0, 0xe8, 0xf2),
    ],
    [
      "is in an encoding that cannot be told: save it as UTF-8",
      Uint8Array.from(Buffer.from("wschodnia \u00b3\u00b1ka, s\u00b3owo", "latin1")),
    ],
    [
      "is in an encoding that cannot be told: save it as UTF-8",
      Uint8Array.of(0x82, 0xb1, 0x82, 0xf1, 0x82, 0xc9, 0x82, 0xbf),
    ],
  ])("that cannot be read say why: %s", (reason, bytes) => {
    expect(decodeText(bytes)).toEqual({ reason });
  });
});

describe("a folder that was typed at an earlier deployment", () => {
  const file = "/jobs/team.yaml";
  const plan = planJob(jobOf("name: team\nagents: [{ id: searcher }]\ntopology: { type: mesh }"), {
    hasAnthropicKey: false,
    ports: { searcher: 9001 },
    objects: { searcher: ["Session", "SessionIndex", "Beacon", "Corpus"] },
  });
  const prepare = async (typed: string | undefined, last: string | undefined, io = recordedIo()) => {
    const remembered = last === undefined ? undefined : { folder: last, label: last };
    return { io, prepared: await prepareCorpus(plan, { typed, last: remembered, file }, io) };
  };
  test("is read again", async () => {
    await put("a.md", "x");
    const { prepared } = await prepare(undefined, folder);
    expect(prepared.assignments[0]?.corpus.documents).toHaveLength(1);
  });
  test.each(["gone", "empty"])("and is %s now leaves what is indexed, and says so", async (state) => {
    const gone = state === "gone" ? join(folder, "gone") : folder;
    const { prepared, io } = await prepare(undefined, gone);
    expect(prepared).toMatchObject({ assignments: [], remember: { folder: gone } });
    expect(io.notes.join("\n")).toMatch(/keeps the documents .* troupe deploy team --corpus DIR/);
  });
  test("stops the deployment when it is typed now", async () => {
    await expect(prepare(join(folder, "gone"), folder)).rejects.toThrow("There is no folder");
  });
});
