// Reads a file that the user named.
import { type ReadResult, readTextFile } from "#jobs/file/read.ts";
import { CliError } from "../terminal/cli-error.ts";
import { shown } from "../project/project.ts";

/** The text, or what is wrong with the file. Throws CliError when it cannot be opened. */
export async function readText(path: string, kind: "job file" | "host file"): Promise<ReadResult> {
  const file = shown(path);
  try {
    return await readTextFile(path, file, kind);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
    if (code === "ENOENT") throw new CliError("bad_input", `There is no file ${file}.`);
    if (code === "EISDIR") throw new CliError("bad_input", `${file} is a folder, not a ${kind}.`);
    if (code === "EACCES") throw new CliError("bad_input", `${file} may not be read.`);
    throw error;
  }
}
