// Which source line a place of a bundle comes from: a table small enough to lie in the bundle, made of a source map by
// scripts/project/source-table.ts. A line of the project's own files is told; of a dependency, only the file.

export interface SourceTable {
  /** Paths in the project. */
  readonly files: readonly string[];
  /**
   * By line of the bundle, `;` between them: pieces `column,file,line`, each the difference to the piece before, in
   * base 36; the column begins anew with each line. Line 0 of a file is none in particular.
   */
  readonly pieces: string;
}

export interface SourceLines {
  /**
   * `file:line`, or `file`; undefined for what no source stands for. `line` and `column` of the bundle count from 1.
   */
  at(line: number, column: number): string | undefined;
}

/** Reads a table. Throws nothing: pieces that make no sense lead to wrong places. */
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
