// A question to a peer leaves three nested spans: the tool's, the call's and the peer's. Where the inner two add
// nothing to the outer one, all three are one row.
import { OPERATION } from "#shared/tracing/names.ts";
import { STATUS } from "#shared/tracing/otlp.ts";

import { type Span } from "./span.ts";
import { serverOf, type SpanNode } from "./tree.ts";

export interface Hop {
  readonly call: SpanNode;
  readonly server: SpanNode;
}

/** Durations that differ by more than this, and by more than half, get a row each. */
const APART_US = 100_000;

/** The spans below a tool's that its row includes. */
export function hopOf(tool: SpanNode): Hop | undefined {
  if (tool.span.operation !== OPERATION.executeTool) return undefined;
  const call = only(tool);
  const server = call === undefined ? undefined : serverOf(call);
  if (call === undefined || server === undefined || only(call) !== server) return undefined;
  return [call, server].every(({ span }) => addsNothing(span, tool.span)) ? { call, server } : undefined;
}

function only({ children }: SpanNode): SpanNode | undefined {
  return children.length === 1 ? children[0] : undefined;
}

function addsNothing(inner: Span, outer: Span): boolean {
  const [took, ofAll] = [inner.durationUs, outer.durationUs];
  // The peer may still work on a call that was given up, or wait for an approval.
  const apartUs = took === null || ofAll === null ? 0 : Math.abs(ofAll - took);
  return (
    (took !== null || ofAll === null) &&
    apartUs <= Math.max(APART_US, (ofAll ?? 0) / 2) &&
    inner.provisional === outer.provisional &&
    inner.inputTokens + inner.outputTokens + (inner.costUsd ?? 0) === 0 &&
    (inner.status !== STATUS.error || (outer.status === STATUS.error && outer.message.includes(inner.message)))
  );
}
