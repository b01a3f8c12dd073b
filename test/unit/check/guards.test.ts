import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { directions } from "../../../scripts/check/directions.ts";
import { guards } from "../../../scripts/check/guards.ts";
import { lint } from "../../../scripts/check/lint.ts";
import { expectations } from "./expectations.ts";
import { makeProject } from "./project.ts";

const ROOT = new URL("../../../", import.meta.url);
const LIMIT_MS = 30_000;

/** The real generator, on the real schema of job files. */
const GENERATOR = ["scripts/generate-schema.ts", "jobs", "shared"].map((path) => ({ from: path, to: path }));

describe.each(guards)("the guard $name", { timeout: LIMIT_MS }, (guard) => {
  const overlays = guard.name === "generated" ? GENERATOR : [];

  test("finds each violation planted for it, and nothing else", async () => {
    await using project = await makeProject(...overlays, `test/fixtures/violations/${guard.name}`);
    const findings = await guard.find(project.root);
    const found = findings.map(({ rule, where }) => `${rule} ${where.replace(/:\d+$/, "")}`);
    expect(found.toSorted()).toEqual(expectations[guard.name]?.toSorted());
  });

  test("finds nothing in a clean project", async () => {
    await using project = await makeProject(...overlays);
    expect(await guard.find(project.root)).toEqual([]);
  });
});

test("every rule that .oxlintrc.json turns on by name has a planted violation", async () => {
  const Rules = z.object({ rules: z.record(z.string(), z.union([z.string(), z.array(z.unknown())])) });
  const { rules } = Rules.parse(JSON.parse(await readFile(new URL(".oxlintrc.json", ROOT), "utf8")));
  const on = Object.keys(rules).filter((name) => rules[name] !== "off");
  // On in its category; named only to let it allow more.
  const planted = [...plantedRules("lint"), "typescript/no-misused-spread"];
  expect(on.filter((name) => !planted.includes(name))).toEqual([]);
});

test("every rule of .dependency-cruiser.mjs has a planted violation", async () => {
  const Config = z.object({ default: z.object({ forbidden: z.array(z.object({ name: z.string() })) }) });
  const { forbidden } = Config.parse(await import(new URL(".dependency-cruiser.mjs", ROOT).href)).default;
  expect(forbidden.map(({ name }) => name).toSorted()).toEqual(plantedRules("directions"));
});

test("directions that see only some of the files are an error, not a success", async () => {
  await using project = await makeProject();
  const path = join(project.root, ".dependency-cruiser.mjs");
  const blind = (await readFile(path, "utf8")).replace(
    'exclude: { path: "^test/fixtures/" }',
    'exclude: { path: "^shared/" }',
  );
  await writeFile(path, blind);
  await expect(directions.find(project.root)).rejects.toThrow("did not see");
});

test("a lint that cannot read its configuration is an error, not a success", async () => {
  await using project = await makeProject();
  await writeFile(join(project.root, ".oxlintrc.json"), "{");
  await expect(lint.find(project.root)).rejects.toThrow("oxlint ended with code");
});

function plantedRules(guard: string): string[] {
  const rules = expectations[guard]?.map((line) => line.slice(0, line.indexOf(" "))) ?? [];
  return [...new Set(rules)].toSorted();
}
