// What the system refuses comes in words: every kind, made by the system itself where that is possible without rights.
import { mkdir, mkdtemp, readdir, readFile, rm, rmdir, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { hasNoRoom, inWords } from "../../../../scripts/terminal/system-error.ts";

const HOME = "/somewhere/.troupe";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-system-error-"));
  await writeFile(join(folder, "file"), "");
  await symlink(join(folder, "loop"), join(folder, "loop"));
});
afterAll(async () => rm(folder, { recursive: true }));

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

test.each<[string, () => Promise<unknown>, RegExp]>([
  ["ENOENT", async () => readFile(join(folder, "none")), /none is missing/],
  ["ENOTDIR", async () => readFile(join(folder, "file", "x")), /is a file where a folder should be/],
  ["EISDIR", async () => readFile(folder), /is a folder where a file should be/],
  ["EEXIST", async () => mkdir(folder), /already exists/],
  ["ENOTEMPTY", async () => rmdir(folder), /is not empty/],
  ["ELOOP", async () => readFile(join(folder, "loop")), /leads back to itself/],
  ["ENAMETOOLONG", async () => readdir(join(folder, "x".repeat(300))), /is too long/],
])("%s, as the system gives it, is one sentence and what to do", async (code, work, words) => {
  const error = inWords(await errorOf(work()), HOME);
  expect(error?.message).toMatch(words);
  expect(error?.message).toContain(`: ${code})`);
  expect(error?.message).not.toContain("\n");
  expect(error?.next).not.toBe("");
});

test.skipIf(process.platform !== "linux")(
  "a full disk is named, and the hint says that stopping needs no space",
  async () => {
    const error = await errorOf(writeFile("/dev/full", "x"));
    expect(hasNoRoom(error)).toBe(true);
    expect(inWords(error, HOME)).toMatchObject({
      message: expect.stringMatching(/^The disk of .* is full/) as unknown,
      next: expect.stringContaining("troupe stop needs none") as unknown,
    });
  },
);

test.each([
  ["EACCES", /^This user may not use \/a\/b\. \(open: EACCES\)$/, /chown.*TROUPE_HOME/],
  ["EPERM", /may not use/, /chown/],
  ["EROFS", /read-only/, /TROUPE_HOME/],
  ["EDQUOT", /is full/, /Free some space/],
  ["EMFILE", /Too many files/, /ulimit -n/],
  ["ENFILE", /Too many files/, /ulimit -n/],
  ["ENOMEM", /no memory/, /End programs/],
  ["EAGAIN", /no further process/, /ulimit -u/],
  ["EIO", /fails/, /dmesg/],
  ["EBUSY", /busy/, /End it/],
  ["EWHATEVER", /^The system refuses: it says so$/, /^$/],
])("%s says what is wrong and what to do", (code, message, next) => {
  const error = inWords(Object.assign(new Error("it says so"), { code, syscall: "open", path: "/a/b" }), HOME);
  expect(error?.message).toMatch(message);
  expect(error?.next).toMatch(next);
});

test("any other error is a bug, of which the stack is wanted", () => {
  expect(inWords(new TypeError("x is not a function"), HOME)).toBeUndefined();
  expect(inWords(Object.assign(new Error("x"), { code: "ERR_INVALID_ARG_TYPE" }), HOME)).toBeUndefined();
});
