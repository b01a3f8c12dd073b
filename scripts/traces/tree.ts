// Spans → the tree that they are. Whatever comes: spans whose parent never came stand apart as orphans, a circle of parents is
// cut open, and a tree may be as deep as it is long (so nothing here recurses).
import { KIND } from "#shared/tracing/otlp.ts";

import type { Span, TraceSummary } from "./span.ts";

export interface SpanNode {
  readonly span: Span;
  /** In the order in which they began. */
  readonly children: SpanNode[];
}

export interface TraceTree {
  readonly roots: readonly SpanNode[];
  /** Their parent is named, but not there. */
  readonly orphans: readonly SpanNode[];
}

/** A place in the tree on the way through it: parents come before their children. */
export interface Visit {
  readonly node: SpanNode;
  readonly depth: number;
  /** No sibling comes after it. */
  readonly last: boolean;
}

/**
 * Makes the tree. The root of a query may have a parent outside of the trace: then it is the span whose name and agent are
 * those of the summary.
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

/** Every node below and with `tops`, depth first; `below` says which those of a node are, its children unless told otherwise. */
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

/** The span of the agent that was asked, below a call to a peer. */
export function answered({ span, children }: SpanNode): SpanNode | undefined {
  return span.kind === KIND.client ? children.find((child) => child.span.kind === KIND.server) : undefined;
}

/** What a span is called: a call to a peer by who asks whom. */
export function labelOf(node: SpanNode): string {
  const server = answered(node);
  return server === undefined ? node.span.name : `${node.span.agent} → ${server.span.agent}`;
}

/** Nodes that no top leads to hang in or below a circle of parents: each circle is cut above its first node that is met. */
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
