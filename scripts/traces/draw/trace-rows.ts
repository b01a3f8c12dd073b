// A trace as JSON: the summary and a row for each span, in the order of the tree. Times are not shifted.
import { criticalPath, ownTimes } from "../critical-path.ts";
import type { Trace } from "./draw.ts";
import { kindName, type Span, statusName } from "../span.ts";
import { onOneClock } from "../skew.ts";
import { buildTree, walk } from "../tree.ts";

/**
 * `criticalUs` is the span's own time on the critical path. `shiftUs` is the time that the drawn tree adds to the beginning of a span on
 * another clock; 0 for other spans.
 */
export function traceRows({ job, summary, spans: sent }: Trace, nowUs: number) {
  const { spans, shifts } = onOneClock(sent, summary, nowUs);
  const { roots, orphans } = buildTree(spans, summary);
  const [root] = roots;
  const sentUs = ({ spanId, startUs }: Span): number => startUs - (shifts.get(spanId) ?? 0);
  const own = root === undefined ? undefined : ownTimes(criticalPath(root, nowUs));
  const rows = (tops: typeof roots, orphan: boolean) =>
    [...walk(tops)].map(({ node: { span }, depth }) => ({
      spanId: span.spanId,
      parentId: span.parentId === "" ? null : span.parentId,
      depth,
      orphan,
      name: span.name,
      agent: span.agent,
      kind: kindName(span.kind),
      operation: span.operation,
      startTime: new Date(sentUs(span) / 1_000).toISOString(),
      startUs: sentUs(span),
      shiftUs: shifts.get(span.spanId) ?? 0,
      durationUs: span.durationUs,
      status: statusName(span.status),
      message: span.message,
      provisional: span.provisional,
      inputTokens: span.inputTokens,
      outputTokens: span.outputTokens,
      costUsd: span.costUsd,
      criticalUs: own?.get(span) ?? 0,
    }));
  return { job, trace: summary, spans: [...rows(roots, false), ...rows(orphans, true)] };
}
