// The rows of a drawn trace as cells, and the widths of its columns for a screen.
import { KIND, STATUS } from "#shared/tracing/otlp.ts";

import type { paints } from "../../terminal/screen.ts";
import { cutTo, cutMiddle, fill, oneLine, widthOf } from "../../terminal/terminal-text.ts";
import { cost, duration, tokens } from "../amounts.ts";
import type { Detail } from "../store/details.ts";
import { hopOf } from "../hop.ts";
import { endUs, type Span } from "../span.ts";
import { labelOf, type SpanNode, type Visit } from "../tree.ts";

export interface Row {
  readonly span: Span;
  /** Spans within it that have no row of their own. */
  readonly within: readonly Span[];
  /** Lines of the tree before the name, and before the text below it. */
  readonly guides: string;
  readonly below: string;
  readonly name: string;
  readonly cells: Readonly<Record<Column, string>>;
  /** The error; empty without one, or where a span below has the same. */
  readonly error: string;
  /** The question to a peer, or the input of a tool; empty where unknown. */
  readonly asked: string;
}

type Column = "id" | "agent" | "took" | "tokens" | "cost" | "first";

const COLUMNS: readonly { readonly column: Column; readonly title: string; readonly most: number }[] = [
  { column: "id", title: "ID", most: 16 },
  { column: "agent", title: "AGENT", most: 18 },
  { column: "took", title: "TOOK", most: 24 },
  { column: "tokens", title: "IN/OUT", most: 12 },
  { column: "cost", title: "COST", most: 10 },
  { column: "first", title: "FIRST", most: 8 },
];
/** On a narrow screen columns are left out in this order; "took" always stays. */
const DISPENSABLE: readonly Column[] = ["first", "cost", "tokens", "agent", "id"];

const [LEAST_NAME, LEAST_BAR, MOST_BAR] = [38, 8, 60];
/** Deeper levels share one mark, or the names would leave the screen. */
const MOST_LEVELS = 12;
/** A name gets this much room before its levels get any. */
const LEAST_LABEL = 24;
/** The command line accepts no shorter id. */
const LEAST_DIGITS = 4;

export interface View {
  readonly details: ReadonlyMap<string, Detail>;
  /** Shown digits of an id; 0 where ids are not shown. */
  readonly digits: number;
  /** Every span has a row. */
  readonly full: boolean;
  readonly nowUs: number;
}

/** `lasts` says for each depth on the way to the node whether it was the last of its siblings there. */
export function rowOf({ node, depth }: Visit, lasts: readonly boolean[], view: View): Row {
  const { span } = node;
  const hop = view.full ? undefined : hopOf(node);
  const children = childrenOf(node, view);
  const detail = view.details.get(span.spanId);
  const called = view.details.get(hop?.call.span.spanId ?? span.spanId);
  // A peer that left no span is known from the call alone.
  const peer = hop?.server.span.agent ?? detail?.peer;
  const name = peer === undefined ? labelOf(node) : `${span.agent} → ${peer}`;
  const saidBelow = children.some(
    (child) => view.details.get(child.span.spanId)?.asked !== undefined && child.span.kind === KIND.client,
  );
  const levels = lasts.slice(Math.max(1, depth - MOST_LEVELS + 1), depth + 1);
  const above = levels.slice(0, -1).map((last) => (last ? "  " : "│ "));
  const skipped = depth > MOST_LEVELS ? "… " : "";
  const stem = skipped + above.join("");
  const failed = span.status === STATUS.error;
  const message = oneLine(span.message);
  const said = children.some((child) => child.span.status === STATUS.error && child.span.message === span.message);
  return {
    span,
    within: hop === undefined ? [] : [hop.call.span, hop.server.span],
    guides: depth === 0 ? "" : `${stem}${levels.at(-1) === true ? "└ " : "├ "}`,
    below: `${depth === 0 ? "" : `${stem}${levels.at(-1) === true ? "  " : "│ "}`}${children.length > 0 ? "│ " : "  "}`,
    name: `${failed ? "✗ " : ""}${oneLine(name)}`,
    cells: {
      id: oneLine(span.spanId.slice(0, view.digits)),
      agent: oneLine(span.agent),
      took: tookOf(span, view.nowUs),
      tokens:
        span.inputTokens + span.outputTokens > 0 ? `${tokens(span.inputTokens)}/${tokens(span.outputTokens)}` : "",
      cost: span.costUsd === null || span.costUsd === 0 ? "" : cost(span.costUsd),
      first: detail?.firstUs === undefined ? "" : duration(detail.firstUs),
    },
    error: failed && !said ? message : "",
    asked: saidBelow ? "" : oneLine(called?.asked ?? ""),
  };
}

/** The nodes below a node's row. */
export function childrenOf(node: SpanNode, { full }: Pick<View, "full">): readonly SpanNode[] {
  return (full ? undefined : hopOf(node))?.server.children ?? node.children;
}

/** The fewest first digits that tell the spans apart; 0 for a single span, or where `most` digits are too few. */
export function digitsOf(spans: readonly Span[], most: number): number {
  if (spans.length === 1) return 0;
  for (let digits = LEAST_DIGITS; digits <= most; digits++) {
    if (new Set(spans.map(({ spanId }) => spanId.slice(0, digits))).size === spans.length) return digits;
  }
  return 0;
}

function tookOf(span: Span, nowUs: number): string {
  const took = duration(endUs(span, nowUs) - span.startUs);
  if (span.durationUs === null) return `still open ${took}`;
  return span.provisional ? `${took} lost` : took;
}

export interface Layout {
  /** Columns of the bar. */
  readonly bar: number;
  /** Column where the names begin, after the mark. */
  readonly nameAt: number;
  header(scale: string): string;
  line(row: Row, bar: string, style: ReturnType<typeof paints>, critical: boolean): string;
  /** Lines of the tree before the text below a row's name. */
  below(row: Row): string;
}

/** Divides `width` columns; the first two are the mark's. */
export function layoutOf(rows: readonly Row[], width: number): Layout {
  const widths = new Map<Column, number>();
  let wanted = 0;
  for (const row of rows) {
    wanted = Math.max(wanted, row.guides.length + widthOf(row.name));
    for (const { column, most } of COLUMNS) {
      widths.set(column, Math.min(most, Math.max(widths.get(column) ?? 0, widthOf(row.cells[column]))));
    }
  }
  for (const { column, title } of COLUMNS) {
    const content = widths.get(column) ?? 0;
    if (content === 0) widths.delete(column);
    else widths.set(column, Math.max(content, title.length));
  }
  const left = (): number => width - 4 - [...widths.values()].reduce((sum, column) => sum + column + 2, 0);
  for (const column of DISPENSABLE) {
    if (left() < Math.min(wanted, LEAST_NAME) + LEAST_BAR) widths.delete(column);
  }
  const room = Math.max(2, left());
  const most = Math.max(Math.floor(room * 0.7), Math.min(LEAST_NAME, room - LEAST_BAR));
  const name = Math.min(Math.max(wanted, "SPAN".length), most);
  const bar = Math.min(MOST_BAR, room - name);
  const shown = COLUMNS.filter(({ column }) => widths.has(column));
  const cell = (column: Column, text: string): string => {
    const most = widths.get(column) ?? 0;
    return `  ${fill(cutTo(text, most), most, column === "agent" || column === "id" ? "left" : "right")}`;
  };
  const guidesOf = ({ guides, name: label }: Row): string =>
    shorten(guides, name - Math.min(LEAST_LABEL, widthOf(label)));
  return {
    bar,
    nameAt: bar + 2,
    below: (row) => shorten(row.below, guidesOf(row).length + 2),
    header: (scale) =>
      `${scale}  ${fill(cutTo("SPAN", name), name)}${shown.map(({ column, title }) => cell(column, title)).join("")}`,
    line(row, drawn, style, critical) {
      const guides = guidesOf(row);
      const label = cutMiddle(row.name, Math.max(1, name - guides.length));
      const painted = row.span.status === STATUS.error ? style.red(label) : critical ? style.bold(label) : label;
      const filled = " ".repeat(Math.max(0, name - guides.length - widthOf(label)));
      const cells = shown.map(({ column }) => {
        const text = cell(column, row.cells[column]);
        if (column === "id") return style.dim(text);
        return column === "took" && row.span.durationUs === null ? style.yellow(text) : text;
      });
      return `${drawn}  ${style.dim(guides)}${painted}${filled}${cells.join("")}`.trimEnd();
    },
  };
}

/** Shortens the lines of a tree to `most` columns: the levels next to the name stay. Each level takes two columns. */
function shorten(guides: string, most: number): string {
  if (guides.length <= most) return guides;
  const levels = Math.max(1, Math.floor(most / 2) - 1);
  return `… ${guides.slice(-2 * levels)}`;
}
