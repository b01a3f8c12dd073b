// The critical path of a trace: for each moment, the span that delayed the answer.
import { KIND } from "#shared/tracing/otlp.ts";
import { OPERATION, SPAN } from "#shared/tracing/names.ts";

import { endUs, type Span } from "./span.ts";
import type { SpanNode } from "./tree.ts";

/** A piece of the path that belongs to one span alone. */
export interface Segment {
  readonly span: Span;
  readonly fromUs: number;
  readonly toUs: number;
}

export interface CriticalPath {
  /** In the order of time, without gaps, together as long as the root. */
  readonly segments: readonly Segment[];
  /** Spans on the path, with or without time of their own. */
  readonly spans: ReadonlySet<Span>;
}

interface Frame {
  readonly span: Span;
  readonly fromUs: number;
  /** The last to end first. */
  readonly children: readonly Child[];
  next: number;
  /** The moment that the walk back has reached. */
  atUs: number;
}

interface Child {
  readonly node: SpanNode;
  readonly fromUs: number;
  readonly toUs: number;
}

/**
 * Walks back from the root's end. At each moment the path enters the child that ended last by then, and leaves it at its beginning;
 * time without such a child is the span's own. A child counts only within its parent, so that different clocks cannot make the path
 * longer than the root. `nowUs` is the end of open spans.
 */
export function criticalPath(root: SpanNode, nowUs: number): CriticalPath {
  const segments: Segment[] = [];
  const spans = new Set<Span>();
  const own = ({ span }: Frame, fromUs: number, toUs: number): void => {
    if (toUs > fromUs) segments.push({ span, fromUs, toUs });
  };
  const stack = [frameOf({ node: root, fromUs: root.span.startUs, toUs: endUs(root.span, nowUs) }, nowUs)];
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    spans.add(frame.span);
    const child = lastBefore(frame);
    if (child === undefined) {
      own(frame, frame.fromUs, frame.atUs);
      stack.pop();
      continue;
    }
    own(frame, child.toUs, frame.atUs);
    frame.atUs = child.fromUs;
    stack.push(frameOf(child, nowUs));
  }
  return { segments: segments.toReversed(), spans };
}

function frameOf({ node, fromUs, toUs }: Child, nowUs: number): Frame {
  const children = node.children
    .map((child) => ({
      node: child,
      fromUs: Math.max(fromUs, child.span.startUs),
      toUs: Math.min(toUs, endUs(child.span, nowUs)),
    }))
    .filter((child) => child.toUs > child.fromUs)
    .toSorted((a, b) => b.toUs - a.toUs || a.fromUs - b.fromUs);
  return { span: node.span, fromUs, children, next: 0, atUs: toUs };
}

/** The next child on the walk back; a child that ended later ran beside the path. */
function lastBefore(frame: Frame): Child | undefined {
  while (frame.next < frame.children.length) {
    const child = frame.children[frame.next++];
    if (child !== undefined && child.toUs <= frame.atUs) return child;
  }
  return undefined;
}

/**
 * Time of the path by what it waited for: approvals, the model, tools, calls to peers, or an agent's own work.
 * Microseconds.
 */
export interface Waits {
  approvals: number;
  model: number;
  tools: number;
  peers: number;
  own: number;
}

export function waitsOf({ segments }: CriticalPath): Waits {
  const waits: Waits = { approvals: 0, model: 0, tools: 0, peers: 0, own: 0 };
  for (const { span, fromUs, toUs } of segments) waits[waitOf(span)] += toUs - fromUs;
  return waits;
}

function waitOf({ name, operation, kind }: Span): keyof Waits {
  if (name.startsWith(SPAN.approval(""))) return "approvals";
  if (operation === OPERATION.chat) return "model";
  if (operation === OPERATION.executeTool) return "tools";
  return kind === KIND.client ? "peers" : "own";
}

/** Each span's own microseconds of the path. */
export function ownTimes({ segments }: CriticalPath): Map<Span, number> {
  const times = new Map<Span, number>();
  for (const { span, fromUs, toUs } of segments) times.set(span, (times.get(span) ?? 0) + toUs - fromUs);
  return times;
}
