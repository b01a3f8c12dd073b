// Compares two traces. Two spans have the same place if agents and names on the path from the root are equal, and so is
// the ordinal among siblings of that name.
import { STATUS } from "#shared/tracing/otlp.ts";

import { endUs, type Span, type TraceSummary } from "./span.ts";
import { serverOf, buildTree, labelOf, type SpanNode, walk } from "./tree.ts";

export type Difference = "same" | "changed" | "only_a" | "only_b";

/** One place in both trees; parents come before their children. */
export interface DiffRow {
  readonly depth: number;
  readonly name: string;
  readonly agent: string;
  readonly verdict: Difference;
  readonly a: Measures | null;
  readonly b: Measures | null;
  /** Spans below a place of one trace only; they are not listed. */
  readonly hidden: number;
}

export interface Measures {
  readonly spanId: string;
  readonly durationUs: number;
  readonly open: boolean;
  readonly status: "ok" | "error";
  readonly message: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number | null;
}

export interface Side {
  readonly summary: TraceSummary;
  readonly spans: readonly Span[];
}

/** Durations are the same within a tenth, or within this. */
const NEAR_US = 10_000;

export function diffTraces(a: Side, b: Side, nowUs: number): DiffRow[] {
  const [left, right] = [buildTree(a.spans, a.summary), buildTree(b.spans, b.summary)];
  const rows: DiffRow[] = [];
  const waiting: Pair[] = [...pairs(left.orphans, right.orphans, 0), ...rootPairs(left.roots, right.roots)];
  for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop()) {
    rows.push(rowOf(pair, nowUs));
    if (pair.a !== undefined && pair.b !== undefined) {
      for (const below of pairs(pair.a.children, pair.b.children, pair.depth + 1)) waiting.push(below);
    }
  }
  return rows;
}

/** Rows that differ, and their ancestors. */
export function differing(rows: readonly DiffRow[]): DiffRow[] {
  const kept: DiffRow[] = [];
  let needed = -1;
  for (const row of rows.toReversed()) {
    const above = row.depth < needed;
    if (row.verdict === "same" && !above) continue;
    kept.push(row);
    needed = row.depth;
  }
  return kept.toReversed();
}

interface Pair {
  readonly a: SpanNode | undefined;
  readonly b: SpanNode | undefined;
  readonly depth: number;
}

/** Single roots make a pair, whatever their names. */
function rootPairs(a: readonly SpanNode[], b: readonly SpanNode[]): Pair[] {
  return a.length === 1 && b.length === 1 ? [{ a: a[0], b: b[0], depth: 0 }] : pairs(a, b, 0);
}

/** In reverse order, for a stack. */
function pairs(a: readonly SpanNode[], b: readonly SpanNode[], depth: number): Pair[] {
  const right = keyed(b);
  const found: Pair[] = [];
  for (const [key, node] of keyed(a)) {
    found.push({ a: node, b: right.get(key), depth });
    right.delete(key);
  }
  for (const node of right.values()) found.push({ a: undefined, b: node, depth });
  return found.toReversed();
}

function keyed(nodes: readonly SpanNode[]): Map<string, SpanNode> {
  const ordinals = new Map<string, number>();
  return new Map(
    nodes.map((node) => {
      const name = JSON.stringify([node.span.agent, labelOf(node), callee(node)]);
      const ordinal = ordinals.get(name) ?? 0;
      ordinals.set(name, ordinal + 1);
      return [`${name}${ordinal}`, node];
    }),
  );
}

/** The agent that a tool asked: it tells parallel calls apart better than their order. */
function callee({ children }: SpanNode): string {
  const [only, ...others] = children;
  return only === undefined || others.length > 0 ? "" : (serverOf(only)?.span.agent ?? "");
}

function rowOf({ a, b, depth }: Pair, nowUs: number): DiffRow {
  const node = a ?? b;
  if (node === undefined) throw new Error("A pair without spans");
  const [left, right] = [measure(a, nowUs), measure(b, nowUs)];
  const both = left !== null && right !== null;
  return {
    depth,
    name: labelOf(node),
    agent: node.span.agent,
    verdict: both ? (isSame(left, right) ? "same" : "changed") : left === null ? "only_b" : "only_a",
    a: left,
    b: right,
    hidden: both ? 0 : [...walk(node.children)].length,
  };
}

function measure(node: SpanNode | undefined, nowUs: number): Measures | null {
  if (node === undefined) return null;
  const { span } = node;
  const { spanId, message, inputTokens, outputTokens, costUsd } = span;
  return {
    spanId,
    durationUs: endUs(span, nowUs) - span.startUs,
    open: span.durationUs === null,
    status: span.status === STATUS.error ? "error" : "ok",
    message,
    inputTokens,
    outputTokens,
    costUsd,
  };
}

function isSame(a: Measures, b: Measures): boolean {
  const apart = Math.abs(a.durationUs - b.durationUs);
  return (
    (apart <= NEAR_US || apart <= Math.max(a.durationUs, b.durationUs) / 10) &&
    a.status === b.status &&
    a.open === b.open &&
    a.inputTokens === b.inputTokens &&
    a.outputTokens === b.outputTokens &&
    a.costUsd === b.costUsd
  );
}
