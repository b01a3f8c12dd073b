// The guards of `npm run check`, the slow ones first, and how one is run: by this Node, without a shell, so that every
// platform does the same.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Passes when Node, run with `args` in the project's folder, ends with code 0. */
export interface Guard {
  readonly name: string;
  readonly args: readonly string[];
}

export const OXLINT = here("node_modules/oxlint/bin/oxlint");
export const TSC = here("node_modules/typescript/bin/tsc");

export const guards: readonly Guard[] = [
  { name: "lint", args: [OXLINT, "--deny-warnings"] },
  { name: "types-worker", args: [TSC, "--project", "tsconfig.worker.json"] },
  { name: "types-node", args: [TSC, "--project", "tsconfig.node.json"] },
  { name: "directions", args: [here("scripts/check/directions.ts"), here(".dependency-cruiser.mjs")] },
  { name: "dead-code", args: [here("node_modules/knip/bin/knip.js"), "--no-progress", "--no-config-hints"] },
  { name: "every-file", args: [here("scripts/check/every-file.ts")] },
  { name: "format", args: [here("node_modules/oxfmt/bin/oxfmt"), "--check", "."] },
  { name: "generated", args: ["scripts/generate-schema.ts", "--check"] },
  { name: "project-rules", args: [here("scripts/check/project-rules.ts")] },
];

/** Runs Node in the folder `root`. The output is what came on stdout and stderr, in the order in which it came. */
export function run(args: readonly string[], root: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], windowsHide: true });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    }
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

function here(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
