// YAML text → plain data, in which every path leads back to a line and a column.
import {
  type Alias,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  visit,
  type Document,
  type Node,
  type YAMLError,
  type YAMLMap,
} from "yaml";

import type { Mistake } from "./mistake.ts";

export type Path = readonly PropertyKey[];

/** Most nodes that aliases may add, so that a small file cannot become a huge job. */
const MAX_ALIAS_COUNT = 100;
const MAX_SYNTAX_MISTAKES = 5;
/** Most levels of `<<` that are searched for a place. */
const MAX_MERGES = 10;

export interface Source {
  readonly data: unknown;
  /** A mistake at the value of `path`, or at its key; at the nearest parent where the path leads nowhere. */
  mistake(path: Path, message: string, hint?: string, at?: "key" | "value"): Mistake;
  /** The plain value of `path` as typed, such as 1.10 or 007; undefined for a longer one. */
  typed(path: Path): string | undefined;
}

export type SourceResult = { readonly source: Source } | { readonly mistakes: Mistake[] };

/** Reads one YAML document. Never throws: errors of the text are returned as mistakes. */
export function readSource(text: string, file: string): SourceResult {
  const lines = new LineCounter();
  const mistakeAt = (offset: number, message: string, hint = ""): Mistake => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col), message, hint };
  };
  // logLevel: Node need not warn of lists and mappings as keys, which are unknown fields anyway.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, logLevel: "error" });
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
          "the file is not a job: it must be a mapping of fields",
          "A job begins with its name: `name: my-job`.",
        ),
      ],
    };
  }
  let data: unknown;
  try {
    data = document.toJS({ maxAliasCount: MAX_ALIAS_COUNT });
  } catch (error) {
    return { mistakes: [mistakeAt(...aliasMistake(document, error))] };
  }
  const at = (path: Path, end: "key" | "value"): number => offsetOf(document, path, end);
  const foreign = foreignPart(data);
  if (foreign !== undefined) return { mistakes: [mistakeAt(at(foreign.path, "value"), foreign.message, foreign.hint)] };
  return {
    source: {
      data,
      mistake: (path, message, hint, end = "value") => mistakeAt(at(path, end), message, hint),
      typed: (path) => {
        const { node } = find(document, path);
        const typed = isScalar(node) && node.range ? text.slice(node.range[0], node.range[1]) : "";
        return /^[^\s"']{1,60}$/.test(typed) ? typed : undefined;
      },
    },
  };
}

type Place = [offset: number, message: string, hint: string];

/** The mistake of a document whose syntax is right but whose aliases cannot be resolved. */
function aliasMistake(document: Document.Parsed, error: unknown): Place {
  const unknown = firstUnknownAlias(document);
  if (unknown !== undefined) {
    const { source: name, range } = unknown;
    return [
      range?.[0] ?? 0,
      `the alias *${name} has no anchor`,
      `Put the anchor &${name} before the repeated part, further up.`,
    ];
  }
  const merged = firstBadMerge(document);
  if (merged !== undefined) return [merged, "<<: merges a mapping, or a list of mappings", "Such as <<: *name."];
  if (!(error instanceof ReferenceError || error instanceof RangeError)) throw error;
  const place = firstAlias(document);
  return [place, "aliases (*name) make the job too large", "Write the repeated parts out."];
}

interface Foreign {
  readonly path: Path;
  readonly message: string;
  readonly hint: string;
}

/** The first value that JSON cannot hold: a job is stored as JSON. */
function foreignPart(value: unknown, path: Path = [], above: readonly object[] = []): Foreign | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (above.includes(value)) {
    return { path, message: "an alias (*name) stands within its own anchor", hint: "Write the repeated part out." };
  }
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) {
    const hint = "Write plain text, in quotes, or a mapping or list without a tag.";
    return { path, message: "a job holds text, numbers, lists and mappings, not other types of YAML", hint };
  }
  for (const [key, item] of Object.entries(value)) {
    const found = foreignPart(item, [...path, key], [...above, value]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function describe({ code, message }: Pick<YAMLError, "code" | "message">): [message: string, hint: string] {
  if (code === "MULTIPLE_DOCS") {
    return ["the file holds more than one YAML document", "Write one job in each file, without a second ---."];
  }
  // The parser recurses, and reports a full call stack as an error of the text.
  if (message.includes("call stack")) return ["the file is nested too deeply", "A job needs only a few levels."];
  return [`not YAML: ${message}`, ""];
}

/** One mistake a place: a wrong bracket makes every bracket around it wrong. */
function distinctPlaces(problems: readonly YAMLError[]): YAMLError[] {
  return [...new Map(problems.toReversed().map((problem) => [problem.pos[0], problem])).values()]
    .toReversed()
    .slice(0, MAX_SYNTAX_MISTAKES);
}

function offsetOf(document: Document.Parsed, path: Path, at: "key" | "value"): number {
  const { key, value } = find(document, path);
  return at === "key" ? key : value;
}

interface Found {
  /** The node at the path; null without one. */
  readonly node: Node | null;
  /** Offsets of the last segment's key and value; of the nearest parent where the path leads nowhere. */
  readonly key: number;
  readonly value: number;
}

function find(document: Document.Parsed, path: Path): Found {
  let node: Node | null = document.contents;
  let [key, value] = [node?.range?.[0] ?? 0, node?.range?.[0] ?? 0];
  for (const segment of path) {
    node = resolved(document, node);
    if (isMap(node)) {
      const pair = pairOf(document, node, String(segment));
      if (pair === undefined) return { node: null, key: value, value };
      key = startOf(pair.key) ?? value;
      value = startOf(pair.value) ?? key;
      node = isNode(pair.value) ? pair.value : null;
    } else if (isSeq(node)) {
      const item = node.items[Number(segment)];
      node = isNode(item) ? item : null;
      value = startOf(item) ?? value;
      key = value;
    } else {
      return { node: null, key: value, value };
    }
  }
  return { node, key, value };
}

/** A mapping's own field, else one that `<<` merges in. */
function pairOf(document: Document.Parsed, map: YAMLMap, name: string, depth = 0): Pair | undefined {
  const own = map.items.find(({ key }) => String(isScalar(key) ? key.value : key) === name);
  if (own !== undefined || depth > MAX_MERGES) return own;
  for (const { value } of map.items.filter(isMerge)) {
    const source = resolved(document, value);
    for (const part of isSeq(source) ? source.items : [source]) {
      const other = resolved(document, part);
      const taken = isMap(other) ? pairOf(document, other, name, depth + 1) : undefined;
      if (taken !== undefined) return taken;
    }
  }
  return undefined;
}

function isMerge({ key }: Pair): boolean {
  // The parser gives the merge key a symbol; "<<" in quotes is text.
  return isScalar(key) && typeof key.value === "symbol";
}

function resolved(document: Document.Parsed, node: unknown): Node | null {
  if (isAlias(node)) return node.resolve(document) ?? null;
  return isNode(node) ? node : null;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function firstBadMerge(document: Document.Parsed): number | undefined {
  let offset: number | undefined;
  visit(document, {
    Pair(_, pair) {
      if (!isMerge(pair)) return undefined;
      const source = resolved(document, pair.value);
      const parts = isSeq(source) ? source.items.map((part) => resolved(document, part)) : [source];
      if (parts.every(isMap) || (source === null && isAlias(pair.value))) return undefined;
      offset = startOf(pair.value) ?? startOf(pair.key) ?? 0;
      return visit.BREAK;
    },
  });
  return offset;
}

function firstUnknownAlias(document: Document.Parsed): Alias | undefined {
  const anchors = new Set<string>();
  let unknown: Alias | undefined;
  visit(document, (_, node) => {
    if ((isScalar(node) || isCollection(node)) && node.anchor !== undefined) anchors.add(node.anchor);
    if (!isAlias(node) || anchors.has(node.source)) return undefined;
    unknown = node;
    return visit.BREAK;
  });
  return unknown;
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
