// A trace as JSON: the summary and a row for each span, in the order of the tree.
import { criticalPath, ownTimes } from "./critical-path.ts";
import type { Trace } from "./draw.ts";
import { kindName, statusName } from "./shapes.ts";
import { buildTree, walk } from "./tree.ts";

/** `criticalUs` is the time of the critical path that was the span's own. */
export function traceRows({ job, summary, spans }: Trace, nowUs: number) {
  const { roots, orphans } = buildTree(spans, summary);
  const [root] = roots;
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
      startTime: new Date(span.startUs / 1_000).toISOString(),
      startUs: span.startUs,
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
