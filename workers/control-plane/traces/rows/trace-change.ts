// The changes that a batch makes to one trace, summed up: the summary is updated without reading the trace's spans.
// Also finds the root, and says how long a trace stays open. Pure.
import { OPERATION } from "#shared/tracing/names.ts";
import { STATUS } from "#shared/tracing/otlp.ts";
import type { SpanRecord } from "../otlp/span-record.ts";

/** The fields of a stored span that a summary counts. */
export type Counted = Pick<
  SpanRecord,
  "durationUs" | "provisional" | "status" | "operation" | "inputTokens" | "outputTokens" | "cost" | "bytes"
>;

/** Preference for the root: a span marked as root, a span without parent, a span whose parent is missing. */
export const RANK = { named: 0, parentless: 1, orphan: 2, none: 3 } as const;

export interface Root {
  /** "" while there is no root. */
  readonly spanId: string;
  readonly rank: number;
  readonly startUs: number;
}

export class TraceChange {
  /** Differences to add to the columns of the summary. */
  readonly counts = {
    spans: 0,
    openSpans: 0,
    errors: 0,
    modelCalls: 0,
    inputTokens: 0,
    outputTokens: 0,
    cost: 0,
    priced: 0,
    bytes: 0,
  };
  readonly spanIds = new Set<string>();
  readonly agents = new Set<string>();
  /** Status messages of failed spans. */
  readonly messages: string[] = [];
  endUs = 0;
  /** The earliest span of the batch. */
  earliest: Root = { spanId: "", rank: RANK.none, startUs: Number.POSITIVE_INFINITY };
  /** The best root in the batch that can be told without other spans. */
  root: Root | undefined;

  /** Counts a span that replaces `before`. */
  add(span: SpanRecord, agent: string, before: Counted | undefined): void {
    const { spanId, startUs } = span;
    this.spanIds.add(spanId);
    this.agents.add(agent);
    if (before) this.#count(before, -1);
    this.#count(span, 1);
    this.endUs = Math.max(this.endUs, startUs + Math.max(0, span.durationUs));
    if (span.status === STATUS.error && span.message !== "") this.messages.push(span.message);
    const rank = span.traceKind === "" ? (span.parentId === "" ? RANK.parentless : RANK.orphan) : RANK.named;
    const candidate = { spanId, rank, startUs };
    if (isEarlier(candidate, this.earliest)) this.earliest = candidate;
    if (rank < RANK.orphan && (this.root === undefined || isBetter(candidate, this.root))) this.root = candidate;
  }

  #count(span: Counted, sign: 1 | -1): void {
    const { counts } = this;
    counts.spans += sign;
    counts.bytes += sign * span.bytes;
    if (span.durationUs < 0) counts.openSpans += sign;
    if (span.status === STATUS.error) counts.errors += sign;
    if (span.operation !== OPERATION.chat) return;
    counts.modelCalls += sign;
    counts.inputTokens += sign * (span.inputTokens ?? 0);
    counts.outputTokens += sign * (span.outputTokens ?? 0);
    counts.cost += sign * (span.cost ?? 0);
    if (span.cost !== null) counts.priced += sign;
  }
}

/**
 * The root after `change`. While every span has a parent and none is marked as root, the root is the topmost stored
 * ancestor of the earliest span, so the order of arrival does not matter. `parentOf` gives a stored span's parent id;
 * undefined for a missing span.
 */
export function rootAfter(
  before: Root & { readonly traceStartUs: number },
  change: TraceChange,
  parentOf: (spanId: string) => string | undefined,
): Root {
  if (change.root && isBetter(change.root, before)) return change.root;
  if (before.rank < RANK.orphan) return before;
  const isFirst = before.spanId === "" || change.earliest.startUs < before.traceStartUs;
  const from = isFirst ? change.earliest : before;
  return { spanId: climb(from.spanId, parentOf), rank: RANK.orphan, startUs: from.startUs };
}

/** Parents visited in one batch; the next batch climbs on. */
const MAX_STEPS = 1000;

function climb(from: string, parentOf: (spanId: string) => string | undefined): string {
  const seen = new Set<string>();
  let at = from;
  while (seen.size < MAX_STEPS && !seen.has(at)) {
    seen.add(at);
    const parent = parentOf(at);
    if (parent === undefined || parent === "" || parentOf(parent) === undefined) return at;
    at = parent;
  }
  return at;
}

function isBetter(a: Root, b: Root): boolean {
  return a.rank === b.rank ? isEarlier(a, b) : a.rank < b.rank;
}

function isEarlier(a: Root, b: Root): boolean {
  return a.startUs === b.startUs ? a.spanId < b.spanId : a.startUs < b.startUs;
}

/** Late spans of a trace whose root has ended come within moments. */
const ENDED_MS = 1000;
/**
 * A root without its parent may be a child that came first: exporters send children as they end, before their parents.
 */
export const ORPHAN_MS = 60_000;
/** An open trace is forwarded in part rather than never. */
const OPEN_MS = 300_000;

/** Milliseconds without a change until a trace counts as whole. */
export function quietMs(root: { readonly rank: number; readonly open: boolean }): number {
  if (root.open) return OPEN_MS;
  return root.rank < RANK.orphan ? ENDED_MS : ORPHAN_MS;
}
