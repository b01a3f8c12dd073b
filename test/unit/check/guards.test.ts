import { readFile } from "node:fs/promises";
import { stripVTControlCharacters } from "node:util";
import { beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { guards, run } from "../../../scripts/check/guards.ts";
import { makeProject } from "./project.ts";

const ROOT = new URL("../../../", import.meta.url);
const CONFIGURATION = new URL(".dependency-cruiser.mjs", ROOT).href;
const LIMIT_MS = 60_000;

/** What each guard says of test/fixtures/violations, among other things. Key: the guard's name. */
const SAYS: Readonly<Record<string, readonly string[]>> = {
  "dead-code": ["shared/attic/old.ts", "stemmer  package.json", "other  workers/agents/echo/message.ts"],
  directions: [
    "order of shared: shared/text/wrong.ts → shared/loop/turn.ts",
    "order of shared: shared/durable/wrong.ts → shared/text/circle.ts",
    "no place in shared: shared/text/wrong.ts → shared/attic/old.ts",
    "no-circle: shared/text/circle.ts → shared/text/circle-back.ts",
  ],
  "every-file": ["oxlint does not see scripts/dist/unseen.ts", "tsc does not see test/attic/unseen.ts"],
  format: ["shared/text/camelCase.ts"],
  generated: ["jobs/job.schema.json is not current"],
  lint: ["typescript(no-floating-promises)", "eslint(no-console)", "shared/text/camelCase.ts:3:1", "jobs/wrong.ts:1:1"],
  "project-rules": [
    "jobs/wrong.ts:4 machine-path",
    "package-lock.json:2 lock-without-registry",
    "package.json pinned-versions: Pin hono",
    "shared/text/utils.ts file-name",
    "shared/text/utils.ts:1 banner",
    "shared/text/utils.ts:2 zod-namespace",
    "shared/text/utils.ts:4 ts-ignore",
    "shared/text/utils.ts:6 unexplained-disable",
    "shared/text/utils.ts:8 unsafe-cast",
    "shared/text/utils.ts:10 private-keyword",
  ],
  "types-node": ["scripts/wrong.ts(6,23): error TS2304"],
  "types-worker": [
    "shared/text/camelCase.ts(1,10): error TS1484",
    "shared/text/camelCase.ts(32,18): error TS1294",
    "shared/text/wrong.ts(5,30): error TS2584",
    "shared/text/wrong.ts(6,14): error TS2322",
  ],
};

/** What each guard says of the broken project, without colours. Key: the guard's name. */
const said = new Map<string, { code: number | null; output: string }>();

beforeAll(async () => {
  await using broken = await makeProject("test/fixtures/violations");
  // The real generator, on the real schema of job files.
  const generator = ["scripts/generate-schema.ts", "jobs", "shared"].map((path) => ({ from: path, to: path }));
  await using outdated = await makeProject(...generator, "test/fixtures/violations");
  await Promise.all(
    guards.map(async ({ name, args }) => {
      const { code, output } = await run(args, (name === "generated" ? outdated : broken).root);
      said.set(name, { code, output: stripVTControlCharacters(output) });
    }),
  );
}, LIMIT_MS);

test("every guard has planted violations", () => {
  expect(guards.map(({ name }) => name).toSorted()).toEqual(Object.keys(SAYS));
});

test.each(guards)("the guard $name fails where its rules are broken, and says where", ({ name }) => {
  for (const finding of SAYS[name] ?? []) expect(said.get(name)?.output).toContain(finding);
  expect(said.get(name)?.code).toBeGreaterThan(0);
});

test("every rule that .oxlintrc.json turns on by name has a planted violation", async () => {
  const Rules = z.object({ rules: z.record(z.string(), z.union([z.string(), z.array(z.unknown())])) });
  const { rules } = Rules.parse(JSON.parse(await readFile(new URL(".oxlintrc.json", ROOT), "utf8")));
  const on = Object.keys(rules).filter((name) => rules[name] !== "off");
  // `typescript/no-explicit-any` is printed as `typescript(no-explicit-any)`.
  const silent = on.filter((name) => !said.get("lint")?.output.includes(`${name.replace("/", "(")})`));
  // On in its category; named only to let it allow more.
  expect(silent).toEqual(["typescript/no-misused-spread"]);
});

test("every rule of .dependency-cruiser.mjs that no order makes has a planted violation", async () => {
  const Configuration = z.object({ default: z.object({ forbidden: z.array(z.object({ name: z.string() })) }) });
  const { forbidden } = Configuration.parse(await import(CONFIGURATION)).default;
  const names = forbidden.map(({ name }) => name).filter((name) => !name.includes(" "));
  expect(names.filter((name) => !said.get("directions")?.output.includes(`error ${name}:`))).toEqual([]);
});
