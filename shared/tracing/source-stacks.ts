// The first code of every bundle: from then on stacks name files and lines of the sources. The table is read when the
// first stack is looked at, so that a Worker without errors pays nothing for it.
import { readSourceTable, type SourceLines, type SourceTable } from "./source-lines.ts";

/** What of V8's call sites is needed. */
interface Frame {
  getFileName(): string | null | undefined;
  getLineNumber(): number | null;
  getColumnNumber(): number | null;
  toString(): string;
}

/** `table` gives the one of this bundle, whose module is called `module`. */
export function nameSourcesInStacks(module: string, table: () => SourceTable): void {
  let lines: SourceLines | undefined;
  const described = (frame: Frame): string => {
    if (frame.getFileName() !== module) return frame.toString();
    lines ??= readSourceTable(table());
    return lines.at(frame.getLineNumber() ?? 0, frame.getColumnNumber() ?? 0) ?? frame.toString();
  };
  const prepareStackTrace = (error: unknown, frames: readonly Frame[]): string =>
    [headOf(error), ...frames.map((frame) => `    at ${described(frame)}`)].join("\n");
  Object.assign(Error, { prepareStackTrace });
}

/** What is thrown is somebody's code: it may throw when it is looked at. */
function headOf(error: unknown): string {
  try {
    return String(error);
  } catch {
    return "Error";
  }
}
