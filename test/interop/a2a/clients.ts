// A2A clients of others, each with its defaults, in a virtual environment of its own.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CACHE, exists, fetching, running } from "../toolchain.ts";

export interface PythonClient {
  readonly name: string;
  /** For pip. */
  readonly packages: readonly string[];
  /** In this folder. It gets a URL, a question and what else it wants, and prints what it holds as JSON. */
  readonly script: string;
}

export const PYTHON_1: PythonClient = {
  name: "python-1.3.0",
  packages: ["a2a-sdk[http-server]==1.3.0", "httpx==0.28.1"],
  script: "python_1.py",
};
export const PYTHON_03: PythonClient = {
  name: "python-0.3.26",
  packages: ["a2a-sdk==0.3.26", "httpx==0.28.1"],
  script: "python_03.py",
};
export const ADK: PythonClient = { name: "adk-2.13.0", packages: ["google-adk[a2a]==2.13.0"], script: "adk.py" };
export const MICROSOFT: PythonClient = {
  name: "agent-framework-a2a-1.0.0b261022",
  packages: ["agent-framework-a2a==1.0.0b261022", "httpx==0.28.1"],
  script: "microsoft.py",
};

/** Resolves to the interpreter. Throws Unreachable where Python or a registry is. */
export async function install({ name, packages }: PythonClient): Promise<string> {
  const folder = join(CACHE, name);
  const [installed, python] = [join(folder, "installed"), join(folder, "bin", "python")];
  if (await exists(installed)) return python;
  await rm(folder, { recursive: true, force: true });
  await mkdir(CACHE, { recursive: true });
  await fetching({ program: "python3", args: ["-m", "venv", folder] });
  await fetching({ program: python, args: ["-m", "pip", "install", "--quiet", "--pre", ...packages] });
  await writeFile(installed, "");
  return python;
}

/** What the client holds after the question: an entry for each time that it asked. */
export async function held({ script }: PythonClient, python: string, args: readonly string[]): Promise<unknown> {
  const stdout = await running({ program: python, args: [join(import.meta.dirname, script), ...args] });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

const GO = "go-2.3.1";

/** Resolves to the program. Throws Unreachable where Go or its proxy is. */
export async function buildGoClient(): Promise<string> {
  const program = join(CACHE, GO, "client");
  await mkdir(join(CACHE, GO), { recursive: true });
  await fetching({ program: "go", args: ["build", "-o", program, "."], cwd: join(import.meta.dirname, "go") });
  return program;
}
