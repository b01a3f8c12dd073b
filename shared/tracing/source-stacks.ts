// Makes stacks name files and lines of the sources. The first code of every bundle. Reads the table with the first
// stack, so that a Worker without errors pays nothing.
import { readSourceTable, type SourceLines, type SourceTable } from "./source-lines.ts";

/** The methods of V8's call sites that are used. */
interface Frame {
  getFileName(): string | null | undefined;
  getLineNumber(): number | null;
  getColumnNumber(): number | null;
  toString(): string;
}

/** `table` returns the table of this bundle, whose module is called `module`. */
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

/** Never throws, although reading a thrown value may: its getters are foreign code. */
function headOf(error: unknown): string {
  try {
    return String(error);
  } catch {
    return "Error";
  }
}
