import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { DATA_VERSION } from "#shared/durable/data-version.ts";
import { listFiles } from "../../../scripts/check/files.ts";

const ROOT = join(import.meta.dirname, "../../..");
const LIST = /^(?:export )?const MIGRATIONS\b[^=]*= (\[.*?^\]|\[[^\n]*\]);?/gms;

/** Of all migrations of version 1 of the data. */
const DIGEST = "fb98e5b542f7a957";

it("is raised with each new migration, since rollback relies on it", async () => {
  const files = (await listFiles(ROOT)).filter((path) => /^(shared|workers)\/.*\.ts$/.test(path));
  const texts = await Promise.all(files.map(async (path) => [path, await readFile(join(ROOT, path), "utf8")] as const));
  const lists = texts.flatMap(([path, text]) => Array.from(text.matchAll(LIST), ([, list = ""]) => `${path}\n${list}`));
  expect(lists.length).toBeGreaterThan(8);
  const digest = createHash("sha256").update(lists.toSorted().join("\n")).digest("hex").slice(0, 16);
  expect({ version: DATA_VERSION, digest }, "raise DATA_VERSION and write the new digest here").toEqual({
    version: 1,
    digest: DIGEST,
  });
});
