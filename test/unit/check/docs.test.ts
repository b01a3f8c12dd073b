import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { listFiles } from "../../../scripts/check/files.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const pages = (await listFiles(ROOT)).filter((path) => path.endsWith(".md") && !path.startsWith("jobs/corpus/"));

describe.each(pages)("%s", (page) => {
  it("links only to files that exist", async () => {
    const text = await readFile(join(ROOT, page), "utf8");
    const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link = ""]) => link);
    const broken = links.filter((link) => !/^[a-z]+:/.test(link) && !existsSync(join(ROOT, dirname(page), link)));
    expect(broken).toEqual([]);
  });

  it("names only files and folders that exist", async () => {
    const text = page === "CHANGELOG.md" ? "" : await readFile(join(ROOT, page), "utf8");
    const paths = [...text.matchAll(/`((?:workers|shared|scripts|jobs|test)\/[\w./-]+)`/g)].map(
      ([, path = ""]) => path,
    );
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});
