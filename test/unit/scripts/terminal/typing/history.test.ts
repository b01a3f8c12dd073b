// Messages over all runs.
import { appendFile, chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { History } from "../../../../../scripts/terminal/typing/history.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-history-"));
  path = join(folder, "chat", "history");
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

test("what was typed is there in the next run, once for each time in a row, for its owner alone", async () => {
  const first = new History(path);
  for (const text of ["one", "two\nlines", "two\nlines", "  ", "one"]) first.add(text);
  expect(new History(path).entries).toEqual(["one", "two\nlines", "one"]);
  expect((await stat(path)).mode & 0o077).toBe(0);
});

test("several conversations add to it at once", () => {
  const [here, there] = [new History(path), new History(path)];
  here.add("here");
  there.add("there");
  expect(new History(path).entries).toEqual(["here", "there"]);
});

test("it is bounded, and damaged lines are passed over", async () => {
  new History(path).add("first");
  const lines = Array.from({ length: 2_500 }, (_, n) => `${JSON.stringify(`entry ${n}`)}\n`);
  await appendFile(path, `{"half": \n17\n${lines.join("")}`);
  const { entries } = new History(path);
  expect([entries.length, entries[0], entries.at(-1)]).toEqual([1_000, "entry 1500", "entry 2499"]);
  expect((await readFile(path, "utf8")).split("\n")).toHaveLength(1_001);
  new History(path).add("x".repeat(20_000));
  expect(new History(path).entries.at(-1)).toBe("entry 2499");
});

test("without a place to keep it, it lasts for this run", async () => {
  await writeFile(join(folder, "file"), "");
  await chmod(join(folder, "file"), 0o400);
  const history = new History(join(folder, "file", "history"));
  history.add("kept");
  expect(history.entries).toEqual(["kept"]);
});
