// Guard: oxlint and tsc see every file. What no pattern of theirs names, they pass over without a word.
import { relative, resolve } from "node:path";
import { listFiles } from "./files.ts";
import { OXLINT, run, TSC } from "./guards.ts";

const root = process.cwd();
const code = (await listFiles(root)).filter((path) => /\.(ts|mjs)$/.test(path));

// What a configuration includes, without what is imported from there: that is quick to know.
const LIST = ["--listFilesOnly", "--noResolve", "--noLib"];
const [linted, ...checked] = await Promise.all([
  listed([OXLINT, "--debug=files"]),
  listed([TSC, "--project", "tsconfig.worker.json", ...LIST]),
  listed([TSC, "--project", "tsconfig.node.json", ...LIST]),
]);
report("oxlint", code, linted);
report(
  "tsc",
  code.filter((path) => path.endsWith(".ts")),
  checked.flat(),
);

/** The files that a tool lists, one a line. */
async function listed(args: readonly string[]): Promise<string[]> {
  const { output } = await run(args, root);
  return output.split(/\r?\n/).map((path) => relative(root, resolve(root, path)).replaceAll("\\", "/"));
}

function report(tool: string, files: readonly string[], seen: readonly string[]): void {
  const unseen = files.filter((path) => !seen.includes(path));
  for (const path of unseen) process.stdout.write(`${tool} does not see ${path}\n`);
  if (unseen.length > 0) process.exitCode = 1;
}
