// The lines of a drawn trace as cells, and how wide each column may be on the screen there is.
import { STATUS } from "#shared/tracing/otlp.ts";

import type { paints } from "../screen.ts";
import { cut, fill, oneLine, widthOf } from "../terminal-text.ts";
import { cost, duration, tokens } from "./amounts.ts";
import type { Detail } from "./details.ts";
import { endUs, type Span } from "./shapes.ts";
import { labelOf, type Visit } from "./tree.ts";

export interface Row {
  readonly span: Span;
  /** Lines of the tree before the name, and before what stands below it. */
  readonly guides: string;
  readonly below: string;
  readonly name: string;
  readonly cells: Readonly<Record<Column, string>>;
  /** What went wrong; empty when nothing did, or when a span below says the same. */
  readonly error: string;
}

type Column = "agent" | "took" | "tokens" | "cost" | "first";

const COLUMNS: readonly { readonly column: Column; readonly title: string; readonly most: number }[] = [
  { column: "agent", title: "AGENT", most: 18 },
  { column: "took", title: "TOOK", most: 24 },
  { column: "tokens", title: "IN/OUT", most: 12 },
  { column: "cost", title: "COST", most: 10 },
  { column: "first", title: "FIRST", most: 8 },
];
/** Left out in this order where the screen is narrow; "took" always stays. */
const DISPENSABLE: readonly Column[] = ["first", "cost", "tokens", "agent"];

const [LEAST_NAME, LEAST_BAR, MOST_BAR] = [34, 8, 60];
/** Deeper levels are not drawn one by one, or the names would leave the screen. */
const MOST_LEVELS = 12;
const LEAST_LABEL = 10;

/** `lasts` says for each depth on the way to the node whether it was the last of its siblings there. */
export function rowOf(
  { node, depth }: Visit,
  lasts: readonly boolean[],
  detail: Detail | undefined,
  nowUs: number,
): Row {
  const { span, children } = node;
  // Whom nobody answered for is known from the call alone.
  const name = detail?.target === undefined ? labelOf(node) : `${span.agent} → ${detail.target}`;
  const levels = lasts.slice(Math.max(1, depth - MOST_LEVELS + 1), depth + 1);
  const above = levels.slice(0, -1).map((last) => (last ? "  " : "│ "));
  const skipped = depth > MOST_LEVELS ? "… " : "";
  const stem = skipped + above.join("");
  const failed = span.status === STATUS.error;
  const message = oneLine(span.message);
  const said = children.some((child) => child.span.status === STATUS.error && child.span.message === span.message);
  return {
    span,
    guides: depth === 0 ? "" : `${stem}${levels.at(-1) === true ? "└ " : "├ "}`,
    below: `${depth === 0 ? "" : `${stem}${levels.at(-1) === true ? "  " : "│ "}`}${children.length > 0 ? "│ " : "  "}`,
    name: `${failed ? "✗ " : ""}${oneLine(name)}`,
    cells: {
      agent: oneLine(span.agent),
      took: tookOf(span, nowUs),
      tokens:
        span.inputTokens + span.outputTokens > 0 ? `${tokens(span.inputTokens)}/${tokens(span.outputTokens)}` : "",
      cost: span.costUsd === null || span.costUsd === 0 ? "" : cost(span.costUsd),
      first: detail?.firstUs === undefined ? "" : duration(detail.firstUs),
    },
    error: failed && !said ? message : "",
  };
}

function tookOf(span: Span, nowUs: number): string {
  const took = duration(endUs(span, nowUs) - span.startUs);
  if (span.durationUs === null) return `still open ${took}`;
  return span.provisional ? `${took} lost` : took;
}

export interface Layout {
  /** Columns of the bar. */
  readonly bar: number;
  /** Where the names begin, after the mark. */
  readonly nameAt: number;
  header(scale: string): string;
  line(row: Row, bar: string, style: ReturnType<typeof paints>, critical: boolean): string;
}

/** Shares `width` columns out, of which the first two are the mark's. */
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
    return `  ${fill(cut(text, most), most, column === "agent" ? "left" : "right")}`;
  };
  return {
    bar,
    nameAt: bar + 2,
    header: (scale) =>
      `${scale}  ${fill(cut("SPAN", name), name)}${shown.map(({ column, title }) => cell(column, title)).join("")}`,
    line(row, drawn, style, critical) {
      const guides = shortened(row.guides, name - Math.min(LEAST_LABEL, widthOf(row.name)));
      const label = cut(row.name, Math.max(1, name - guides.length));
      const painted = row.span.status === STATUS.error ? style.red(label) : critical ? style.bold(label) : label;
      const filled = " ".repeat(Math.max(0, name - guides.length - widthOf(label)));
      const cells = shown.map(({ column }) => {
        const text = cell(column, row.cells[column]);
        return column === "took" && row.span.durationUs === null ? style.yellow(text) : text;
      });
      return `${drawn}  ${style.dim(guides)}${painted}${filled}${cells.join("")}`.trimEnd();
    },
  };
}

/** The lines of a tree in at most so many columns: the levels next to the name stay. Each level takes two columns. */
function shortened(guides: string, most: number): string {
  if (guides.length <= most) return guides;
  const levels = Math.max(1, Math.floor(most / 2) - 1);
  return `… ${guides.slice(-2 * levels)}`;
}
