// Draws a trace for the terminal: a line for each span with its bar on the time axis, its place in the tree, and its
// cost.
import { troupe } from "../../terminal/hint.ts";
import { STATUS } from "#shared/tracing/otlp.ts";

import { type Paint, paints, type Screen } from "../../terminal/screen.ts";
import { cutTo, wrap } from "../../terminal/terminal-text.ts";
import { duration } from "../amounts.ts";
import { type Axis, bar, scale } from "./bar.ts";
import { type CriticalPath, criticalPath, type Segment } from "../critical-path.ts";
import { clockNotes, headline, pathSentence } from "./headline.ts";
import type { Detail } from "../store/details.ts";
import { childrenOf, digitsOf, layoutOf, type Row, rowOf, type View } from "./rows.ts";
import { endUs, type Span, type TraceSummary } from "../span.ts";
import { onOneClock } from "../skew.ts";
import { buildTree, type SpanNode, walk } from "../tree.ts";

export interface Trace {
  readonly job: string;
  readonly summary: TraceSummary;
  readonly spans: readonly Span[];
  /** By span id; perhaps not of all spans. */
  readonly details?: ReadonlyMap<string, Detail>;
}

/** A trace without news for this long is drawn up to its last news. */
const STILL_US = 3_600_000_000;

/** Narrower screens break the lines. */
const LEAST_WIDTH = 39;

/** Most digits of an id in the tree, and all digits that an id has. */
const [MOST_DIGITS, ALL_DIGITS] = [8, 16];

/**
 * The lines of the drawing, none wider than the screen. `nowUs` is the present, for open spans. A question to a peer is one row; with
 * `full` each span has a row.
 */
export function drawTrace(trace: Trace, screen: Screen, nowUs: number, full = false): string[] {
  const { job } = trace;
  const { spans, shifts, skews } = onOneClock(trace.spans, trace.summary, nowUs);
  const range = rangeOf(spans, nowUs);
  const summary = shifts.size === 0 ? trace.summary : { ...trace.summary, startUs: range.fromUs };
  const width = Math.max(LEAST_WIDTH, screen.columns - 1);
  const style = paints(screen);
  const head = headline(summary, job, nowUs, width, style.bold);
  if (spans.length === 0) return [...head, "No span has arrived yet."];
  const tree = buildTree(spans, summary);
  const root = tree.roots[0];
  const path = root === undefined ? undefined : criticalPath(root, nowUs);
  const own = byOwner(path);
  const digits = digitsOf(spans, MOST_DIGITS) || (full ? ALL_DIGITS : 0);
  const view: View = { details: trace.details ?? new Map<string, Detail>(), digits, full, nowUs };
  const rows: (Row | string)[] = rowsOf(tree.roots, view);
  if (tree.orphans.length > 0) {
    rows.push(
      summary.agent === "" && tree.roots.length === 0
        ? "The root of the trace has not arrived. Other spans:"
        : "Spans whose parent has not arrived:",
      ...rowsOf(tree.orphans, view),
    );
  }
  const layout = layoutOf(
    rows.filter((row) => typeof row !== "string"),
    width,
  );
  const axis: Axis = { ...range, width: layout.bar };
  const length = duration(axis.toUs - axis.fromUs);
  const lines = [...head, "", style.dim(cutTo(`  ${layout.header(scale(layout.bar, length))}`.trimEnd(), width))];
  for (const row of rows) {
    if (typeof row === "string") {
      lines.push(style.yellow(cutTo(row, width)));
      continue;
    }
    const { span, within } = row;
    const segments = [span, ...within].flatMap((one) => own.get(one) ?? []);
    const critical = segments.length > 0;
    const mark = critical ? "●" : path?.spans.has(span) === true ? "│" : " ";
    const paintBar = span.status === STATUS.error ? style.red : critical ? style.cyan : style.dim;
    const drawn = paintBar(bar(span.startUs, Math.min(axis.toUs, endUs(span, nowUs)), segments, axis));
    lines.push(`${style.cyan(mark)} ${layout.line(row, drawn, style, critical)}`);
    const under = (text: string, paint: Paint): void => {
      const below = layout.below(row);
      const shown = cutTo(text, Math.max(8, width - layout.nameAt - 2 - below.length));
      lines.push(`${" ".repeat(layout.nameAt + 2)}${style.dim(below)}${paint(shown)}`);
    };
    if (row.asked !== "") under(row.asked, style.dim);
    if (row.error !== "") under(`✗ ${row.error}`, style.red);
  }
  if (path !== undefined) lines.push("", ...wrap(pathSentence(path).split(" "), " ", width));
  for (const note of clockNotes(skews)) lines.push(...wrap(note.split(" "), " ", width).map(style.yellow));
  if (rows.some((row) => typeof row !== "string" && row.within.length > 0)) {
    const hint = `A question to a peer is one row. Every span: ${troupe`traces show ${summary.traceId.slice(0, 8)} --full`}`;
    lines.push(...wrap(hint.split(" "), " ", width).map(style.dim));
  }
  return lines;
}

function rowsOf(tops: readonly SpanNode[], view: View): Row[] {
  const rows: Row[] = [];
  /** For each depth on the path to the node: whether the node there is the last of its siblings. */
  const lasts: boolean[] = [];
  for (const visit of walk(tops, (node) => childrenOf(node, view))) {
    lasts[visit.depth] = visit.last;
    rows.push(rowOf(visit, lasts, view));
  }
  return rows;
}

function byOwner(path: CriticalPath | undefined): Map<Span, Segment[]> {
  const own = new Map<Span, Segment[]>();
  for (const segment of path?.segments ?? []) {
    const segments = own.get(segment.span);
    if (segments === undefined) own.set(segment.span, [segment]);
    else segments.push(segment);
  }
  return own;
}

function rangeOf(spans: readonly Span[], nowUs: number): Omit<Axis, "width"> {
  let [fromUs, toUs] = [Infinity, -Infinity];
  let open = false;
  for (const span of spans) {
    fromUs = Math.min(fromUs, span.startUs);
    toUs = Math.max(toUs, endUs(span, span.startUs));
    open ||= span.durationUs === null;
  }
  return { fromUs, toUs: open && nowUs - toUs < STILL_US ? Math.max(toUs, nowUs) : toUs };
}
