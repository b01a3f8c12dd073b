// Draws the difference of two traces: their totals side by side, then every place of the tree that differs.
import { table } from "../../terminal/io.ts";
import { paints, type Screen } from "../../terminal/screen.ts";
import { cutTo, fill, oneLine, widthOf } from "../../terminal/terminal-text.ts";
import { cost, count, duration, tokens } from "../amounts.ts";
import { differing, type DiffRow, type Measures, type Difference } from "../diff.ts";
import type { TraceSummary } from "../span.ts";

const SIGNS: Readonly<Record<Difference, string>> = { only_a: "-", only_b: "+", changed: "~", same: " " };
const MOST_LEVELS = 20;
/** Columns for the remarks; with fewer the column of agents is left out. */
const LEAST_REMARKS = 24;

export function drawDiff(a: TraceSummary, b: TraceSummary, rows: readonly DiffRow[], screen: Screen): string[] {
  const width = Math.max(40, screen.columns - 1);
  const style = paints(screen);
  const paint = { only_a: style.red, only_b: style.cyan, changed: style.yellow, same: style.dim };
  const shown = differing(rows);
  const cells = shown.map((row) => ({
    row,
    name: `${"  ".repeat(Math.min(MOST_LEVELS, row.depth))}${oneLine(row.name)}`,
    agent: oneLine(row.agent),
    took: tookOf(row),
    remarks: remarksOf(row),
  }));
  const widest = (of: (cell: (typeof cells)[number]) => string): number =>
    cells.reduce((most, cell) => Math.max(most, widthOf(of(cell))), 0);
  const took = widest((cell) => cell.took);
  const name = Math.min(
    widest((cell) => cell.name),
    Math.floor(width / 2),
  );
  const agent = Math.min(
    widest((cell) => cell.agent),
    18,
  );
  const roomy = width - name - took - agent - 8 >= LEAST_REMARKS;
  const lines = table(
    totals(a, b).map((line) => line.map((cell) => cutTo(cell, Math.floor(width / 3)))),
    new Set([1, 2, 3]),
  ).split("\n");
  if (shown.length > 0) lines.push("", "- only in A, + only in B, ~ in both but different");
  for (const { row, ...cell } of cells) {
    const columns = [
      fill(cutTo(cell.name, name), name),
      ...(roomy ? [fill(cutTo(cell.agent, agent), agent)] : []),
      fill(cell.took, took),
      cell.remarks,
    ];
    lines.push(paint[row.verdict](cutTo(`${SIGNS[row.verdict]} ${columns.join("  ")}`.trimEnd(), width)));
  }
  const alike = rows.filter(({ verdict }) => verdict === "same").length;
  lines.push("", `${count(alike, "span")} alike in both (durations within 10 % or 10 ms).`);
  return lines;
}

function totals(a: TraceSummary, b: TraceSummary): string[][] {
  const us = ({ durationMs }: TraceSummary): number | null => (durationMs === null ? null : durationMs * 1_000);
  const row = (name: string, left: number | null, right: number | null, write: (value: number) => string): string[] => [
    name,
    left === null ? "-" : write(left),
    right === null ? "-" : write(right),
    left === null || right === null ? "" : changeOf(left, right, write),
  ];
  return [
    ["", "A", "B", "CHANGE"],
    ["trace", a.traceId.slice(0, 8), b.traceId.slice(0, 8), ""],
    ["asked", oneLine(a.text) || oneLine(a.name), oneLine(b.text) || oneLine(b.name), ""],
    ["state", a.status, b.status, ""],
    row("duration", us(a), us(b), duration),
    row("spans", a.spans, b.spans, String),
    row("errors", a.errors, b.errors, String),
    row("agents", a.agents.length, b.agents.length, String),
    row("model calls", a.modelCalls, b.modelCalls, String),
    row("tokens in", a.inputTokens, b.inputTokens, tokens),
    row("tokens out", a.outputTokens, b.outputTokens, tokens),
    row("cost", a.costUsd, b.costUsd, cost),
  ];
}

function changeOf(a: number, b: number, write: (value: number) => string): string {
  if (a === b) return "";
  const share = a === 0 ? "" : ` (${signed(Math.round(((b - a) / a) * 100), String)} %)`;
  return `${signed(b - a, write)}${share}`;
}

function signed(value: number, write: (value: number) => string): string {
  return value > 0 ? `+${write(value)}` : write(value);
}

function tookOf({ a, b }: DiffRow): string {
  const took = ({ durationUs, open }: Measures): string => `${duration(durationUs)}${open ? " (open)" : ""}`;
  if (a === null || b === null) return a === null ? (b === null ? "" : took(b)) : took(a);
  return a.durationUs === b.durationUs ? took(a) : `${took(a)} → ${took(b)}`;
}

function remarksOf({ a, b, hidden }: DiffRow): string {
  const remarks: string[] = [];
  if (hidden > 0) remarks.push(`and ${count(hidden, "span")} below`);
  if (a !== null && b !== null) {
    if (a.status !== b.status) remarks.push(`${a.status} → ${b.status}`);
    const used = a.inputTokens + a.outputTokens;
    const change = b.inputTokens + b.outputTokens - used;
    if (change !== 0) remarks.push(`tokens ${signed(change, tokens)}`);
    const [left, right] = [a.costUsd ?? 0, b.costUsd ?? 0];
    if (left !== right) remarks.push(`cost ${signed(right - left, cost)}`);
  }
  const failed = [b, a].find((measures) => measures !== null && measures.status === "error");
  if (failed && a?.status !== b?.status) remarks.push(oneLine(failed.message));
  return remarks.join(", ");
}
