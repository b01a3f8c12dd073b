import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { run } from "../../../scripts/check/guards.ts";
import { makeProject } from "./project.ts";

const ROOT = new URL("../../../", import.meta.url);
const DIRECTIONS = fileURLToPath(new URL("scripts/check/directions.ts", ROOT));
const LIMIT_MS = 30_000;

test(
  "a part imports its own place, places left of it and contracts, and nothing else",
  { timeout: LIMIT_MS },
  async () => {
    const rules = `forbidden: [
      ...order("shared/engine", ["log", ["hooks", "spans"], "kept turn", "run-turn"], { contracts: ["turn", "event"] }),
      sees("shared/engine", "shared/tracing", ["names"]),
    ]`;
    const { findings, code } = await directionsOf(rules, {
      "log/row.ts": `export const row = 1;`,
      "log/step.ts": `export * from "./row.ts"; export * from "../turn.ts"; export * from "../event.ts";`,
      "hooks/run.ts": `export * from "../log/step.ts";`,
      "spans.ts": `export * from "./log/row.ts";`,
      "kept.ts": `export * from "./hooks/run.ts"; export * from "./spans.ts";`,
      "run-turn.ts": `export * from "./kept.ts"; export * from "./turn.ts";`,
      // A contract imports values as its place lets it, and types of all but the last place.
      "turn.ts": `export * from "./kept.ts"; export type * from "./log/row.ts";`,
      "event.ts": `export type * from "./kept.ts"; export * from "./turn.ts";`,

      // What a rule lets it see of another folder.
      "spans/names.ts": `export * from "../../tracing/names.ts";`,
      "../tracing/names.ts": `export const names = 1;`,

      "spans/span.ts": `export * from "../../tracing/span.ts";`,
      "log/right.ts": `export * from "../hooks/run.ts";`,
      "log/right-type.ts": `export type * from "../kept.ts";`,
      "log/assembly.ts": `export type * from "../run-turn.ts";`,
      "hooks/beside.ts": `export * from "../spans.ts";`,
      "hooks/lost.ts": `export * from "../attic/old.ts";`,
      "attic/old.ts": `export const old = 1;`,
      "unplaced.ts": `export * from "./log/row.ts";`,
      "event/value.ts": `export * from "../log/row.ts";`,
      "turn/assembly.ts": `export type * from "../run-turn.ts";`,
    });
    expect(findings).toEqual([
      "contracts of shared/engine do not import its last part: turn/assembly.ts → run-turn.ts",
      "contracts of shared/engine import only types: event/value.ts → log/row.ts",
      "no place in shared/engine: hooks/lost.ts → attic/old.ts",
      "no place in shared/engine: unplaced.ts → log/row.ts",
      "order of shared/engine: hooks/beside.ts → spans.ts",
      "order of shared/engine: log/assembly.ts → run-turn.ts",
      "order of shared/engine: log/right-type.ts → kept.ts",
      "order of shared/engine: log/right.ts → hooks/run.ts",
      "shared/engine sees of shared/tracing only names: spans/span.ts → shared/tracing/span.ts",
    ]);
    expect(code).toBe(1);
  },
);

test("directions that see only some of the files are an error, not a success", { timeout: LIMIT_MS }, async () => {
  const blind = `options: { ...real.options, exclude: { path: "^shared/" } }`;
  const { output, code } = await directionsOf(blind, {});
  expect(output).toContain("dependency-cruiser did not see");
  expect(code).toBe(1);
});

/** What the guard says of the clean project with these files in shared/engine, when its configuration is changed so. */
async function directionsOf(change: string, files: Readonly<Record<string, string>>) {
  await using project = await makeProject();
  for (const [path, text] of Object.entries(files)) {
    const file = join(project.root, "shared/engine", path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  const configuration = join(project.root, "changed.mjs");
  await writeFile(
    configuration,
    `import real from "${new URL(".dependency-cruiser.mjs", ROOT).href}";
    import { order, sees } from "${new URL("scripts/check/order.ts", ROOT).href}";
    export default { ...real, ${change} };`,
  );
  const said = await run([DIRECTIONS, configuration], project.root);
  const output = stripVTControlCharacters(said.output);
  const findings = [...output.matchAll(/^ +error (.+)$/gm)].map(([, finding = ""]) =>
    finding.replaceAll(/(?<= )shared\/engine\/(?!sees)/g, ""),
  );
  return { ...said, output, findings: findings.toSorted() };
}
