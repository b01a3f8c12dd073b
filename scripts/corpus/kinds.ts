// Tells by a file's name whether it is a document, and how it is read.
import { basename, extname } from "node:path";

/** The searcher's types: they decide how a title is found. */
export type DocumentType = "md" | "txt" | "html" | "data";

export interface Kind {
  readonly type: DocumentType;
  /** The text must be taken out of a container first. */
  readonly container: "pdf" | "docx" | undefined;
}

const TEXTS: Readonly<Record<DocumentType, string>> = {
  md: "md markdown mdx",
  txt: "txt text rst adoc asciidoc org tex log",
  html: "html htm xhtml",
  data:
    "csv tsv json jsonl ndjson json5 yaml yml toml ini cfg conf properties xml sql graphql proto " +
    "ts tsx mts cts js jsx mjs cjs py rb php pl lua r jl java kt kts scala groovy clj cljs cs fs vb go rs zig nim " +
    "c h cc cpp cxx hh hpp m mm swift dart ex exs erl hs ml mli elm lisp scm el sh bash zsh fish ps1 bat cmd " +
    "css scss less vue svelte astro tf nix cmake gradle",
};
const CONTAINERS: Readonly<Record<string, Kind>> = {
  pdf: { type: "txt", container: "pdf" },
  docx: { type: "md", container: "docx" },
};
/** Usual names of text files without an extension. */
const NAMES =
  /^(?:readme|licen[cs]e|copying|notice|authors|contributors|changelog|changes|news|todo|install|makefile|dockerfile|jenkinsfile|gemfile|rakefile|procfile)$/i;

const KINDS = new Map<string, Kind>(Object.entries(CONTAINERS));
for (const type of ["md", "txt", "html", "data"] as const) {
  for (const ending of TEXTS[type].split(" ")) KINDS.set(ending, { type, container: undefined });
}

/** The kind of a document; undefined for another file. */
export function kindOf(file: string): Kind | undefined {
  const ending = extname(file).slice(1).toLowerCase();
  if (ending === "") return NAMES.test(basename(file)) ? { type: "txt", container: undefined } : undefined;
  return KINDS.get(ending);
}

/** The reason why a file that is no document is left out. */
export function noKind(file: string): string {
  const ending = extname(file);
  return ending === "" ? "has no file extension" : `has a type that is not read (${ending})`;
}
