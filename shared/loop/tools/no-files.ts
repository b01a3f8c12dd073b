// Explains to a tool's author why it finds no file: agents have no file system, and the error does not say so.

const FILE_ERRORS: ReadonlySet<unknown> = new Set([
  "ENOENT",
  "EPERM",
  "EACCES",
  "EROFS",
  "ENOTDIR",
  "EISDIR",
  "EEXIST",
]);

const HINT =
  "An agent has no file system: files of the machine are not there, however they are named. " +
  "Give a search agent documents (--corpus), import what belongs to the code, ask a service over HTTP, or keep data in a Durable Object.";

/** An explanation of the error; undefined where it concerns no file. Never throws. */
export function hintOnFiles(error: unknown): string | undefined {
  try {
    const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
    return FILE_ERRORS.has(code) ? HINT : undefined;
  } catch {
    return undefined;
  }
}
