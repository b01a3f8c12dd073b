import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
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

it("the map names every file of the folders that it lists", async () => {
  const map = await readFile(join(ROOT, "docs/architecture.md"), "utf8");
  const rows = [...map.matchAll(/^\| `([\w/-]+)` \| (.*) \|$/gm)].map(([, folder = "", cell = ""]) => ({
    folder,
    cell,
  }));
  const files = await listFiles(ROOT);
  const listed = rows.filter(({ folder }) => existsSync(join(ROOT, folder)));
  expect(listed.length).toBeGreaterThan(20);
  for (const { folder, cell } of listed) {
    const named = [...cell.matchAll(/`([\w.-]+)`/g)].map(([, name = ""]) => name);
    const there = files.filter((file) => dirname(file) === folder).map((file) => basename(file, ".ts"));
    expect({ folder, files: named.toSorted() }).toEqual({ folder, files: there.toSorted() });
  }
});
