// The folder of deployment state is its owner's alone, also one from before that was so.
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { keepPrivate } from "../../../../scripts/project/private-folder.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "troupe-private-"));
  await chmod(home, 0o755);
  await mkdir(join(home, "jobs", "x", "data"), { recursive: true, mode: 0o755 });
  await writeFile(join(home, "jobs", "x", "data", "session.sqlite"), "", { mode: 0o644 });
});
afterEach(async () => rm(home, { recursive: true }));

async function rightsOfOthers(...path: string[]): Promise<number> {
  return (await stat(join(home, ...path))).mode & 0o077;
}

test.skipIf(process.platform === "win32")(
  "a folder that others may read is closed, with all that lies in it",
  async () => {
    await keepPrivate(home);
    for (const path of [[], ["jobs"], ["jobs", "x", "data"], ["jobs", "x", "data", "session.sqlite"]])
      expect([path, await rightsOfOthers(...path)]).toEqual([path, 0]);
  },
);

test.skipIf(process.platform === "win32")(
  "a shared folder in which it was put stays open, what is in it beside as well",
  async () => {
    await writeFile(join(home, "notes.txt"), "", { mode: 0o644 });
    await keepPrivate(home);
    expect([await rightsOfOthers(), await rightsOfOthers("notes.txt"), await rightsOfOthers("jobs")]).toEqual([
      0o55, 0o44, 0,
    ]);
  },
);

test("one that is not there is no error, and is not made", async () => {
  await keepPrivate(join(home, "none"));
  await expect(stat(join(home, "none"))).rejects.toThrow("ENOENT");
});
