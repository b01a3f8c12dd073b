// The table of source lines that a bundle carries: made of a source map, read again for a place in the bundle.
import { join } from "node:path";

import { encode } from "@jridgewell/sourcemap-codec";
import { expect, test } from "vitest";

import { PROJECT } from "../../../../scripts/project/project.ts";
import { sourceTable } from "../../../../scripts/project/source-table.ts";
import { readSourceTable } from "#shared/tracing/source-lines.ts";

const map = JSON.stringify({
  version: 3,
  sources: ["../workers/a.ts", "../node_modules/x/y.js"],
  mappings: encode([
    [
      [0, 0, 0, 0],
      [4, 0, 0, 7],
      [10, 0, 41, 0],
      [20, 1, 3, 0],
      [30, 1, 9, 0],
    ],
    [],
    [[5, 0, 2, 0]],
  ]),
});

test("a place is told by file and line, one of a dependency by its file, and one before all others not at all", () => {
  const lines = readSourceTable(sourceTable(map, join(PROJECT, "out"), 1));
  const places = [
    [2, 1],
    [2, 10],
    [2, 11],
    [2, 21],
    [2, 35],
    [4, 6],
    [1, 1],
    [3, 1],
    [4, 5],
    [9, 1],
  ].map(([line = 0, column = 0]) => lines.at(line, column));
  expect(places).toEqual([
    "workers/a.ts:1",
    "workers/a.ts:1",
    "workers/a.ts:42",
    "node_modules/x/y.js",
    "node_modules/x/y.js",
    "workers/a.ts:3",
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test("what lies twice in a row in one line of the source is kept once", () => {
  const { pieces } = sourceTable(map, join(PROJECT, "out"), 0);
  expect(pieces).toBe("0,0,1,a,0,15,a,1,-16;;5,-1,3");
});
