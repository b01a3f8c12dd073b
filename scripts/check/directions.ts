// Guard: who may import whom, by the configuration that the command line names. A dependency-cruiser without a parser
// for TypeScript sees no file and finds nothing wrong, so this compares what it saw with what is there.
import { cruise, format } from "dependency-cruiser";
import optionsOf from "dependency-cruiser/config-utl/extract-depcruise-options";
import { listFiles } from "./files.ts";
import { visitUsing } from "./using-declarations.ts";

const FOLDERS = ["workers", "shared", "jobs", "scripts", "test"];

visitUsing();
const [configuration = ""] = process.argv.slice(2);
const { output: result } = await cruise(FOLDERS, await optionsOf(configuration));
if (typeof result === "string") throw new Error(result);

const seen = new Set(result.modules.map(({ source }) => source));
const unseen = (await listFiles(process.cwd())).filter(
  (path) => FOLDERS.includes(path.split("/", 1)[0] ?? "") && /(?<!\.d)\.(ts|mjs)$/.test(path) && !seen.has(path),
);
if (unseen.length > 0) throw new Error(`dependency-cruiser did not see ${unseen.length} files, such as ${unseen[0]}.`);
if (result.summary.totalDependenciesCruised === 0) throw new Error("dependency-cruiser saw no dependency at all.");

const { output, exitCode } = await format(result, { outputType: "err" });
console.log(output);
// The exit code of so many errors could be that of none: 256 are 0.
process.exitCode = Math.min(exitCode, 1);
