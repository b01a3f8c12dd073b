// Maps a place in a bundle to its source line, by a small table that scripts/project/source-table.ts makes of a source
// map and puts into the bundle. A place in a dependency maps to the file only.

export interface SourceTable {
  /** Paths in the project. */
  readonly files: readonly string[];
  /**
   * One entry for each line of the bundle, separated by `;`: pieces `column,file,line`, each as the difference to the
   * piece before, in base 36. The column starts again in each line. Line 0 means the file as a whole.
   */
  readonly pieces: string;
}

export interface SourceLines {
  /** `file:line`, or `file`; undefined without a source. `line` and `column` of the bundle count from 1. */
  at(line: number, column: number): string | undefined;
}

/** Reads a table. Never throws: malformed pieces lead to wrong places. */
export function readSourceTable({ files, pieces }: SourceTable): SourceLines {
  const lines: (readonly (readonly [column: number, file: number, line: number])[])[] = [];
  let [file, sourceLine] = [0, 0];
  for (const text of pieces.split(";")) {
    let column = 0;
    const read = text.split(",").filter((field) => field !== "");
    const found: [number, number, number][] = [];
    for (let at = 0; at + 2 < read.length; at += 3) {
      column += numberOf(read[at]);
      file += numberOf(read[at + 1]);
      sourceLine += numberOf(read[at + 2]);
      found.push([column, file, sourceLine]);
    }
    lines.push(found);
  }
  return {
    at(line, column) {
      const piece = lines[line - 1]?.findLast(([begin]) => begin < column);
      const name = piece && files[piece[1]];
      return name === undefined || piece?.[2] === 0 ? name : `${name}:${piece?.[2]}`;
    },
  };
}

function numberOf(digits = "0"): number {
  return Number.parseInt(digits, 36);
}
