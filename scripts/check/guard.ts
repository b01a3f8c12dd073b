// What a guard of `npm run check` is: it looks at a project and returns what breaks its rules. And how guards that are
// command-line tools are run: by this Node, without a shell, so that every platform does the same.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** One place that breaks one rule. `where` is a path below the project's root, perhaps with `:line`. */
export interface Finding {
  readonly rule: string;
  readonly where: string;
  readonly message: string;
}

export interface Guard {
  readonly name: string;
  /** Findings in the project at `root`; none when it is clean. Throws ToolError when the guard itself could not look. */
  find(root: string): Promise<Finding[]>;
}

export interface ToolOutput {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A guard's tool did not run, or said something that the guard does not understand. Never the same as "no findings". */
export class ToolError extends Error {
  override readonly name = "ToolError";

  constructor(tool: string, output: ToolOutput) {
    super(`${tool} ended with code ${output.code} and no findings:\n${output.stderr}${output.stdout}`.trimEnd());
  }
}

/** Runs the script at `script` in the folder `root` and collects what it prints. A non-zero code is no error here. */
export async function runTool(root: string, script: URL, args: readonly string[]): Promise<ToolOutput> {
  return runNode(root, [fileURLToPath(script), ...args]);
}

/** Like runTool, with Node's own options before the script's path. */
export function runNode(root: string, args: readonly string[]): Promise<ToolOutput> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], windowsHide: true });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** Returns the findings if they agree with the tool's exit code, and throws ToolError when they do not. */
export function agreed(tool: string, output: ToolOutput, findings: Finding[]): Finding[] {
  if ((output.code === 0) !== (findings.length === 0)) throw new ToolError(tool, output);
  return findings;
}
