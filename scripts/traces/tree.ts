// Spans → their tree, for any input: spans without their parent become orphans, a circle of parents is cut, and a tree
// may be as deep as it is long, so no function recurses.
import { KIND } from "#shared/tracing/otlp.ts";

import type { Span, TraceSummary } from "./span.ts";

export interface SpanNode {
  readonly span: Span;
  /** In the order in which they began. */
  readonly children: SpanNode[];
}

export interface TraceTree {
  readonly roots: readonly SpanNode[];
  /** Spans whose parent is not in the trace. */
  readonly orphans: readonly SpanNode[];
}

/** A node in a walk through the tree; parents come before their children. */
export interface Visit {
  readonly node: SpanNode;
  readonly depth: number;
  /** The last one of its siblings. */
  readonly last: boolean;
}

/**
 * Builds the tree. The root of a query may have a parent outside of the trace: then the root is the span with the summary's name and
 * agent.
 */
export function buildTree(spans: readonly Span[], { name, agent }: Pick<TraceSummary, "name" | "agent">): TraceTree {
  const nodes = new Map(spans.toSorted(byStart).map((span) => [span.spanId, { span, children: [] as SpanNode[] }]));
  const tops: SpanNode[] = [];
  for (const node of nodes.values()) {
    const { spanId, parentId } = node.span;
    const parent = parentId === spanId ? undefined : nodes.get(parentId);
    if (parent === undefined) tops.push(node);
    else parent.children.push(node);
  }
  tops.push(...openCircles(nodes, tops));
  const entry = tops.find(({ span }) => agent !== "" && span.name === name && span.agent === agent);
  const isRoot = (node: SpanNode): boolean => node === entry || node.span.parentId === "";
  return { roots: tops.filter(isRoot), orphans: tops.filter((node) => !isRoot(node)) };
}

/** Walks through `tops` and all nodes below them, depth first. `below` returns the nodes below one: its children by default. */
export function* walk(
  tops: readonly SpanNode[],
  below: (node: SpanNode) => readonly SpanNode[] = ({ children }) => children,
): Generator<Visit> {
  const waiting: Visit[] = [];
  const add = (nodes: readonly SpanNode[], depth: number): void => {
    for (let index = nodes.length - 1; index >= 0; index--) {
      const node = nodes[index];
      if (node !== undefined) waiting.push({ node, depth, last: index === nodes.length - 1 });
    }
  };
  add(tops, 0);
  for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
    yield visit;
    add(below(visit.node), visit.depth + 1);
  }
}

/** The server span of the asked agent below a call to a peer; undefined for other spans, and without an answer. */
export function serverOf({ span, children }: SpanNode): SpanNode | undefined {
  return span.kind === KIND.client ? children.find((child) => child.span.kind === KIND.server) : undefined;
}

/** The label of a span: its name, or for a call to a peer who asks whom. */
export function labelOf(node: SpanNode): string {
  const server = serverOf(node);
  return server === undefined ? node.span.name : `${node.span.agent} → ${server.span.agent}`;
}

/**
 * Cuts each circle of parents above the first of its nodes that is met. Returns those nodes, from which all others are
 * reached.
 */
function openCircles(nodes: ReadonlyMap<string, SpanNode>, tops: readonly SpanNode[]): SpanNode[] {
  const reached = new Set<SpanNode>();
  const reach = (from: readonly SpanNode[]): void => {
    for (const { node } of walk(from)) reached.add(node);
  };
  reach(tops);
  const opened: SpanNode[] = [];
  for (const lost of nodes.values()) {
    if (reached.has(lost)) continue;
    const seen = new Set<SpanNode>();
    let node = lost;
    let parent = nodes.get(node.span.parentId);
    while (parent !== undefined && !seen.has(node)) {
      seen.add(node);
      node = parent;
      parent = nodes.get(node.span.parentId);
    }
    parent?.children.splice(parent.children.indexOf(node), 1);
    opened.push(node);
    reach([node]);
  }
  return opened;
}

function byStart(a: Span, b: Span): number {
  return a.startUs - b.startUs || a.seq - b.seq;
}
