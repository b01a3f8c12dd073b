// Turns a bundle's source map into a small table of source lines, and makes the code that reads the table in the
// bundle.
import { join, relative, sep } from "node:path";

import { decode } from "@jridgewell/sourcemap-codec";
import * as z from "zod";

import type { SourceTable } from "#shared/tracing/source-lines.ts";

import { PROJECT } from "./project.ts";

/** Name of a bundle's module in workerd. */
const MODULE = "index.js";
/** Stands for the table in the code that reads it. */
const TABLE = "TROUPE_SOURCE_TABLE";

/** Inputs of this code, on which each bundle depends too. */
export const PRELUDE_INPUTS = [
  "scripts/project/source-table.ts",
  "shared/tracing/source-lines.ts",
  "shared/tracing/source-stacks.ts",
];

const SourceMap = z.object({ sources: z.array(z.string()), mappings: z.string() });

/** `map` is a source map as text, `folder` its absolute folder; `shift` lines stand before the bundle's own. */
export function sourceTable(map: string, folder: string, shift: number): SourceTable {
  const { sources, mappings } = SourceMap.parse(JSON.parse(map));
  const files = sources.map((source) => relative(PROJECT, join(folder, source)).split(sep).join("/"));
  const isOwn = files.map((file) => !file.includes("node_modules/"));
  let [lastFile, lastLine] = [0, 0];
  const lines = decode(mappings).map((segments) => {
    let lastColumn = 0;
    let before = "";
    const pieces: string[] = [];
    for (const [column, file, sourceLine] of segments) {
      if (file === undefined || sourceLine === undefined) continue;
      const line = isOwn[file] === true ? sourceLine + 1 : 0;
      if (before === `${file}:${line}`) continue;
      before = `${file}:${line}`;
      pieces.push([column - lastColumn, file - lastFile, line - lastLine].map((step) => step.toString(36)).join(","));
      [lastColumn, lastFile, lastLine] = [column, file, line];
    }
    return pieces.join(",");
  });
  return { files, pieces: [...Array.from({ length: shift }, () => ""), ...lines].join(";") };
}

/** One line of code to put before a bundle; `withTable` puts the table into it. */
export async function stackPrelude(): Promise<string> {
  const esbuild = await import("esbuild");
  const contents = `import { nameSourcesInStacks } from "./source-stacks.ts";\nnameSourcesInStacks("${MODULE}", () => ${TABLE});`;
  const { outputFiles } = await esbuild.build({
    stdin: { contents, resolveDir: join(PROJECT, "shared", "tracing"), loader: "ts" },
    bundle: true,
    format: "iife",
    target: "es2024",
    minify: true,
    write: false,
    logLevel: "silent",
  });
  return (outputFiles[0]?.text ?? "").trim().replaceAll("\n", "\\n");
}

/** The code of `stackPrelude` with the table in it. */
export function withTable(prelude: string, table: SourceTable): string {
  return prelude.replace(TABLE, () => `(${JSON.stringify(table)})`);
}
