// The open-files limit of the shell that deploys.
import { expect, test } from "vitest";

import { checkOpenFiles } from "../../../../../../scripts/targets/local/processes/open-files.ts";
import { recordedIo } from "../../../io.ts";

test.each([
  ["4096 is plenty", 4096],
  ["no limit, or none that can be told, is as well", undefined],
])("%s: nothing is said", async (_, limit) => {
  const io = recordedIo();
  await checkOpenFiles(io, async () => limit);
  expect(io.notes).toEqual([]);
});

test("1024 is noted, with what it means and what to do", async () => {
  const io = recordedIo();
  await checkOpenFiles(io, async () => 1024);
  expect(io.notes).toEqual([expect.stringMatching(/^A process may have only 1024 files .*512 connections.*Raise it/)]);
});

test("with fewer than 256 nothing is deployed", async () => {
  await expect(checkOpenFiles(recordedIo(), async () => 255)).rejects.toThrow(
    "A process may have only 255 files open here; a job needs 256 or more.",
  );
});

test("the limit of this machine can be read", async () => {
  await expect(checkOpenFiles(recordedIo())).resolves.toBeUndefined();
});
