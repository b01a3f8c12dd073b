// The critical path of a trace: what the person who asked was waiting for, moment by moment. It is walked back from the root's
// end: at each moment the path goes into the child that was the last to end by then, and through it to its beginning; where
// there is none, the time is the span's own. Work beside the path could have been slower without anybody noticing.
// A child counts only within its parent, so that clocks that differ cannot make the path longer than the root.
import { KIND } from "#shared/tracing/otlp.ts";
import { OPERATION, SPAN } from "#shared/tracing/names.ts";

import { endUs, type Span } from "./span.ts";
import type { SpanNode } from "./tree.ts";

/** A piece of the path: time that was this span's own. */
export interface Segment {
  readonly span: Span;
  readonly fromUs: number;
  readonly toUs: number;
}

export interface CriticalPath {
  /** In the order of time, without gaps, as long as the root. */
  readonly segments: readonly Segment[];
  /** The spans that the path leads through, with or without time of their own. */
  readonly spans: ReadonlySet<Span>;
}

interface Frame {
  readonly span: Span;
  readonly fromUs: number;
  /** The last to end first. */
  readonly children: readonly Child[];
  next: number;
  /** The moment up to which the way back has come. */
  atUs: number;
}

interface Child {
  readonly node: SpanNode;
  readonly fromUs: number;
  readonly toUs: number;
}

/** `nowUs` stands for the end of what is open. */
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

/** The next child on the way back; those that ended later ran beside the path. */
function lastBefore(frame: Frame): Child | undefined {
  while (frame.next < frame.children.length) {
    const child = frame.children[frame.next++];
    if (child !== undefined && child.toUs <= frame.atUs) return child;
  }
  return undefined;
}

/** What a person waits for: a person, the model, a tool, a call on its way to a peer and back, or an agent's own work. */
export interface Waits {
  approvals: number;
  model: number;
  tools: number;
  peers: number;
  own: number;
}

/** Microseconds of the path, by what was waited for. */
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

/** Microseconds of the path that are each span's own. */
export function ownTimes({ segments }: CriticalPath): Map<Span, number> {
  const times = new Map<Span, number>();
  for (const { span, fromUs, toUs } of segments) times.set(span, (times.get(span) ?? 0) + toUs - fromUs);
  return times;
}
