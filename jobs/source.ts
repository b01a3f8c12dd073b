// YAML text → plain data that knows its places: any path in the data can be turned back into a line and a column.
import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
  type YAMLError,
} from "yaml";

import type { Mistake } from "./mistake.ts";

export type Path = readonly PropertyKey[];

/** Aliases may stand for at most this many nodes, so that a small file cannot become a huge job. */
const MAX_ALIAS_COUNT = 100;
const MAX_SYNTAX_MISTAKES = 5;

export interface Source {
  readonly data: unknown;
  /** A mistake at the value of `path`, or at its key; at the nearest parent there is, when there is no such value. */
  mistake(path: Path, message: string, hint?: string, at?: "key" | "value"): Mistake;
}

export type SourceResult = { readonly source: Source } | { readonly mistakes: Mistake[] };

/** Reads one YAML document. Never throws: whatever is wrong with the text comes back as mistakes. */
export function readSource(text: string, file: string): SourceResult {
  const lines = new LineCounter();
  const mistakeAt = (offset: number, message: string, hint = ""): Mistake => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col), message, hint };
  };
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems = [...document.errors, ...document.warnings];
  if (problems.length > 0) {
    return {
      mistakes: distinctPlaces(problems).map(({ pos, ...problem }) => mistakeAt(pos[0], ...describe(problem))),
    };
  }
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
    return {
      mistakes: [mistakeAt(0, "the file is empty", "A job begins with its name: `name: my-job`.")],
    };
  }
  if (!isMap(document.contents)) {
    return {
      mistakes: [
        mistakeAt(
          document.contents.range[0],
          "the file is no job: it must be a mapping of fields",
          "A job begins with its name: `name: my-job`.",
        ),
      ],
    };
  }
  let data: unknown;
  try {
    data = document.toJS({ maxAliasCount: MAX_ALIAS_COUNT });
  } catch (error) {
    if (!(error instanceof ReferenceError || error instanceof RangeError)) throw error;
    return {
      mistakes: [
        mistakeAt(
          firstAlias(document),
          "aliases (*name) multiply beyond what a job may hold",
          "Write the repeated parts out.",
        ),
      ],
    };
  }
  return {
    source: {
      data,
      mistake: (path, message, hint, at = "value") => mistakeAt(offsetOf(document, path, at), message, hint),
    },
  };
}

function describe({ code, message }: Pick<YAMLError, "code" | "message">): [message: string, hint: string] {
  if (code === "MULTIPLE_DOCS") {
    return ["the file holds more than one YAML document", "Write one job a file, without a second ---."];
  }
  // The parser recurses, and reports the end of its stack like any error of the text.
  if (message.includes("call stack")) return ["the file is nested too deeply", "A job needs only a few levels."];
  return [`not YAML: ${message}`, ""];
}

/** One wrong bracket makes every bracket around it wrong: what follows at the same place is noise. */
function distinctPlaces(problems: readonly YAMLError[]): YAMLError[] {
  return [...new Map(problems.toReversed().map((problem) => [problem.pos[0], problem])).values()]
    .toReversed()
    .slice(0, MAX_SYNTAX_MISTAKES);
}

function offsetOf(document: Document.Parsed, path: Path, at: "key" | "value"): number {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const [index, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document) ?? null;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(step));
      if (pair === undefined) return offset;
      const key = isNode(pair.key) ? pair.key : null;
      const value = isNode(pair.value) ? pair.value : null;
      const last = index === path.length - 1;
      offset = (last && at === "key" ? key : value)?.range?.[0] ?? key?.range?.[0] ?? offset;
      node = value;
    } else if (isSeq(node)) {
      const item = node.items[Number(step)];
      node = isNode(item) ? item : null;
      offset = node?.range?.[0] ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

function firstAlias(document: Document.Parsed): number {
  let offset = 0;
  visit(document, {
    Alias(_, alias) {
      offset = alias.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return offset;
}
