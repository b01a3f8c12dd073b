// Blocks of Markdown as lines of a terminal.
import type { MarkedToken, Token, Tokens } from "marked";

import { cutTo, fill, widthOf } from "../terminal-text.ts";
import { known, type Look, piecesOf, textOf, wrapped } from "./pieces.ts";

/** Narrower texts are not wrapped further: lists in lists would get a letter a line. */
const LEAST_WIDTH = 16;

/** Lines of a block without empty ones around it; none for blank space. */
export function linesOfBlock(token: MarkedToken, look: Look): string[] {
  switch (token.type) {
    // The mark of a list's item says whether it is done.
    case "space":
    case "checkbox":
      return [];
    case "heading":
      return heading(token, look);
    case "paragraph":
      return wrapped(piecesOf(token.tokens, look.colours), look);
    case "text":
      return wrapped(piecesOf(token.tokens ?? [token], look.colours), look);
    case "list":
      return list(token, look);
    case "code":
      return token.text.split("\n").map((line) => codeLine(line, look));
    case "blockquote":
      return linesOfBlocks(token.tokens, narrower(look, 2)).map((line) => `${look.paint.dim("│")} ${line}`.trimEnd());
    case "table":
      return table(token, look);
    case "hr":
      return [look.paint.dim("─".repeat(look.width))];
    default:
      return wrapped(piecesOf([{ type: "text", raw: token.raw, text: token.raw.trimEnd() }], look.colours), look);
  }
}

/** Lines of several blocks, with an empty one between them. */
export function linesOfBlocks(tokens: readonly Token[], look: Look): string[] {
  let isApart = false;
  let before: MarkedToken | undefined;
  return tokens.flatMap((token) => {
    const block = known(token);
    if (block.type === "space") isApart = true;
    const lines = linesOfBlock(block, look);
    if (lines.length === 0) return [];
    const gap = before !== undefined && needsGap(block, isApart) ? [""] : [];
    [before, isApart] = [block, block.raw.endsWith("\n\n")];
    return [...gap, ...lines];
  });
}

/** A list may follow its sentence at once, and the short texts of an item are close together. */
export function needsGap({ type }: MarkedToken, isApart: boolean): boolean {
  return isApart || (type !== "list" && type !== "text");
}

export function codeLine(line: string, { width, paint, strict }: Look): string {
  const indented = `  ${line}`.trimEnd();
  return paint.cyan(strict ? cutTo(indented, width) : indented);
}

function heading({ depth, tokens }: Tokens.Heading, look: Look): string[] {
  const mark = look.colours ? "" : `${"#".repeat(depth)} `;
  const pieces = piecesOf(tokens, look.colours, ["bold"]);
  return wrapped([{ text: mark, styles: ["bold"] }, ...pieces], look);
}

function list({ ordered, start, items, loose }: Tokens.List, look: Look): string[] {
  const first = start === "" ? 1 : start;
  return items.flatMap(({ tokens, task, checked = false }, index) => {
    const box = checked ? "☑ " : "☐ ";
    const mark = ordered ? `${first + index}. ` : task ? box : "• ";
    const lines = linesOfBlocks(tokens, narrower(look, mark.length));
    const shown = (lines.length === 0 ? [""] : lines).map((line, row) =>
      `${row === 0 ? mark : " ".repeat(mark.length)}${line}`.trimEnd(),
    );
    return loose && index > 0 ? ["", ...shown] : shown;
  });
}

function narrower(look: Look, by: number): Look {
  return { ...look, width: Math.max(LEAST_WIDTH, look.width - by) };
}

/** Columns where they fit, otherwise each row as a list of its cells: nothing is cut. */
function table({ header, rows, align }: Tokens.Table, look: Look): string[] {
  const texts = [header, ...rows].map((row) => row.map(({ tokens }) => textOf(piecesOf(tokens, look.colours))));
  const widths = header.map((_, column) => Math.max(...texts.map((row) => widthOf(row[column] ?? ""))));
  const total = widths.reduce((sum, width) => sum + width + 3, -3);
  if (total > look.width) return rows.flatMap((row, index) => record(header, row, index, look));
  const lines = texts.map((row) =>
    row
      .map((cell, column) => fill(cell, widths[column] ?? 0, align[column] === "right" ? "right" : "left"))
      .join(" │ "),
  );
  const [head = "", ...body] = lines.map((line) => line.trimEnd());
  return [look.paint.bold(head), look.paint.dim(widths.map((width) => "─".repeat(width)).join("─┼─")), ...body];
}

function record(
  header: readonly Tokens.TableCell[],
  row: readonly Tokens.TableCell[],
  index: number,
  look: Look,
): string[] {
  const lines = row.flatMap((cell, column) => {
    const name = piecesOf(header[column]?.tokens ?? [], look.colours, ["bold"]);
    return wrapped([...name, { text: ": ", styles: [] }, ...piecesOf(cell.tokens, look.colours)], look);
  });
  return index === 0 ? lines : ["", ...lines];
}
