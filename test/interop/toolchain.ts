// Commands that fetch and build receivers. What cannot be fetched is told apart from what does not build: only the first is a
// reason to skip a test.
import { spawn } from "node:child_process";
import { access } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { join } from "node:path";

/** Outside of what git sees, and kept from run to run. */
export const CACHE = join(import.meta.dirname, "../../node_modules/.cache/troupe-interop");

/** A toolchain is not installed, or a registry does not deliver. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string;
}

/** Runs a command that needs a toolchain and registries; resolves to its stdout. Throws Unreachable when it fails. */
export async function fetching(command: Command): Promise<string> {
  try {
    return await running(command);
  } catch (error) {
    throw new Unreachable(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** Runs a command to its end; resolves to its stdout. Throws its last lines when it fails. */
export function running({ program, args, cwd }: Command): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    // A build takes minutes of every core: it gives way to all else.
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.once("error", (error) => reject(new Error(`${program} cannot be run: ${error.message}`)));
    child.once("close", (code) => {
      if (code === 0) resolve(stdout);
      else
        reject(new Error(`${program} ${args.join(" ")} exited with ${String(code)}: ${lastLines(stderr || stdout)}`));
    });
  });
}

export function lastLines(text: string): string {
  return text.trim().split("\n").slice(-6).join("\n");
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
