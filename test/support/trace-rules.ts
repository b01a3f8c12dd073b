// What is true of the trace of every query, whichever job it was and however it ended.
import type { TracedSpan } from "./trace-store.ts";

/** Spans that stopped waiting for what they had begun: it hears of that later, and so ends later. What was interrupted ends when its agent is back. */
const GAVE_UP = new Set(["canceled", "timeout", "interrupted", "agent_lost", "unreachable"]);

/** What is wrong with the trace, in words; empty when nothing is. */
export function problemsOf(spans: readonly TracedSpan[]): string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const roots = spans.filter((span) => span.get("troupe.trace.kind") === "query");
  const problems = roots.length === 1 ? [] : [`${roots.length} roots`];
  if (new Set(spans.map(({ traceId }) => traceId)).size !== 1) problems.push("more than one trace id");
  for (const span of spans) {
    const parent = byId.get(span.parentSpanId);
    const problem = problemOf(span, parent, roots.includes(span));
    if (problem !== undefined) problems.push(`${span.agent}: ${span.name} (${span.spanId}) ${problem}`);
  }
  return problems;
}

function problemOf(span: TracedSpan, parent: TracedSpan | undefined, isRoot: boolean): string | undefined {
  if (span.open) return "is open";
  if (span.endTimeUnixNano < span.startTimeUnixNano) return "ends before it begins";
  const isModelCall = span.get("gen_ai.operation.name") === "chat";
  // Of a span that was closed for its agent, the end is only what was last known.
  if (isModelCall && !span.provisional && span.endTimeUnixNano === span.startTimeUnixNano)
    return "is a model call of 0 ms";
  if (isModelCall && span.error === undefined && typeof span.get("gen_ai.usage.output_tokens") !== "number")
    return "is a model call without tokens";
  if (isRoot) return undefined;
  if (!parent) return "has a parent that is not in the trace";
  if (span.startTimeUnixNano < parent.startTimeUnixNano) return `begins before its parent ${parent.name}`;
  // The end of a span that was closed for its agent is only what was last known. A task that asks back outlasts the question: the answer comes with another message.
  const asksBack = parent.get("a2a.task.state") === "input-required";
  const isKnown = !span.provisional && !parent.provisional;
  const late = span.endTimeUnixNano > parent.endTimeUnixNano && !asksBack && isKnown;
  if (late && !GAVE_UP.has(parent.error ?? "") && span.error !== "interrupted")
    return `ends after its parent ${parent.name}`;
  return undefined;
}
