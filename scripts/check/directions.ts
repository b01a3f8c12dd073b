// Guard: who may import whom (.dependency-cruiser.mjs). Without a parser for TypeScript, dependency-cruiser sees no file
// and finds nothing wrong, so this compares what it saw with what is there.
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { listFiles } from "./files.ts";
import { agreed, runNode, ToolError, type Guard } from "./guard.ts";

const CRUISER = new URL("../../bin/dependency-cruiser.mjs", import.meta.resolve("dependency-cruiser"));
const PARSER_FIX = new URL("using-declarations.ts", import.meta.url);
const FOLDERS = ["workers", "shared", "jobs", "scripts", "test"];

const Report = z.object({
  modules: z.array(z.object({ source: z.string() })),
  summary: z.object({
    totalDependenciesCruised: z.number(),
    violations: z.array(
      z.object({
        from: z.string(),
        to: z.string(),
        rule: z.object({ name: z.string() }),
        cycle: z.array(z.object({ name: z.string() })).optional(),
      }),
    ),
  }),
});

export const directions: Guard = {
  name: "directions",
  async find(root) {
    const output = await runNode(root, [
      "--import",
      PARSER_FIX.href,
      fileURLToPath(CRUISER),
      "--config",
      ".dependency-cruiser.mjs",
      "--output-type",
      "json",
      ...FOLDERS,
    ]);
    if (!output.stdout.startsWith("{")) throw new ToolError("dependency-cruiser", output);
    const { modules, summary } = Report.parse(JSON.parse(output.stdout));
    await assertSeen(root, new Set(modules.map(({ source }) => source)), summary.totalDependenciesCruised);
    const findings = summary.violations.map(({ from, to, rule, cycle }) => ({
      rule: rule.name,
      where: from,
      message: `imports ${cycle === undefined ? to : cycle.map(({ name }) => name).join(" → ")}`,
    }));
    // The JSON report ends with code 0 whatever it found.
    return agreed("dependency-cruiser", { ...output, code: output.code || findings.length }, findings);
  },
};

async function assertSeen(root: string, seen: ReadonlySet<string>, dependencies: number): Promise<void> {
  const files = await listFiles(root);
  const unseen = files.filter(
    (path) => FOLDERS.includes(path.split("/", 1)[0] ?? "") && /(?<!\.d)\.(ts|mjs)$/.test(path) && !seen.has(path),
  );
  if (unseen.length > 0)
    throw new Error(`dependency-cruiser did not see ${unseen.length} files, such as ${unseen[0]}.`);
  if (dependencies === 0) throw new Error("dependency-cruiser saw no dependency at all.");
}
