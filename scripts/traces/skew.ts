// Moves the spans of a trace onto one clock. A span that begins before its parent, or long after its parent's end, is
// on another host's clock and is moved with all spans below it. Stored spans stay unchanged.
import { kindName, type Span, type TraceSummary } from "./span.ts";
import { buildTree, walk } from "./tree.ts";

/** A clock that differs from its caller's. */
export interface Skew {
  readonly agent: string;
  /** Microseconds; negative for a clock that is behind. */
  readonly aheadUs: number;
}

export interface OneClock {
  /** In the order in which they were given. */
  readonly spans: readonly Span[];
  /** Span id → microseconds added to its beginning; only of moved spans. */
  readonly shifts: ReadonlyMap<string, number>;
  /** One for each agent and size, callers first. */
  readonly skews: readonly Skew[];
}

/** A child may begin before its parent by this: times are rounded. */
const EARLY_US = 5_000;
/** A child may begin after its parent's end by this, or by the parent's duration. */
const LATE_US = 100_000;
/** The same where the parent's end is unknown or has no meaning. */
const LATE_OF_UNKNOWN_US = 60_000_000;
/** Sizes of one agent's skew that differ by less, or by a tenth, are one. */
const NEAR_US = 100_000;
/** Skews kept for one agent: an agent has a few hosts, not hundreds. */
const MOST_OF_AGENT = 8;

interface Placed {
  readonly span: Span;
  readonly shiftUs: number;
}

/** `nowUs` is the present: children of open spans have begun before it. */
export function onOneClock(
  spans: readonly Span[],
  summary: Pick<TraceSummary, "name" | "agent">,
  nowUs: number,
): OneClock {
  const shifts = new Map<string, number>();
  const skews = new Map<string, Skew[]>();
  const known = new Map<string, number[]>();
  const place = (span: Span, parent: Placed): Placed => {
    const own = known.get(span.agent) ?? [];
    const tried = [parent.shiftUs, 0, ...own].find((shiftUs) => fits(span, shiftUs, parent, nowUs));
    const shiftUs = tried ?? parent.span.startUs + parent.shiftUs - span.startUs;
    if (tried === undefined) known.set(span.agent, [shiftUs, ...own].slice(0, MOST_OF_AGENT));
    if (shiftUs !== 0) {
      shifts.set(span.spanId, shiftUs);
      if (shiftUs !== parent.shiftUs) note(skews, { agent: span.agent, aheadUs: parent.shiftUs - shiftUs });
    }
    return { span, shiftUs };
  };
  const { roots, orphans } = buildTree(spans, summary);
  const [root] = roots;
  // Without a caller outside, all orphans belong below this root.
  const first = root?.span.parentId === "" ? { span: root.span, shiftUs: 0 } : undefined;
  for (const [tops, above] of [[roots, undefined] as const, [orphans, first] as const]) {
    const way: Placed[] = [];
    for (const { node, depth } of walk(tops)) {
      const parent = depth === 0 ? above : way[depth - 1];
      way[depth] = parent === undefined ? { span: node.span, shiftUs: 0 } : place(node.span, parent);
    }
  }
  if (shifts.size === 0) return { spans, shifts, skews: [] };
  const moved = spans.map((span) => ({ ...span, startUs: span.startUs + (shifts.get(span.spanId) ?? 0) }));
  return { spans: moved, shifts, skews: [...skews.values()].flat() };
}

/** Whether a child may begin at its start plus `shiftUs`. */
function fits(child: Span, shiftUs: number, { span: parent, shiftUs: parentShiftUs }: Placed, nowUs: number): boolean {
  const [startUs, parentUs] = [child.startUs + shiftUs, parent.startUs + parentShiftUs];
  if (startUs < parentUs - EARLY_US) return false;
  // A message may wait in a queue for any time.
  if (kindName(parent.kind) === "producer" || kindName(child.kind) === "consumer") return true;
  if (parent.durationUs === null || parent.provisional) {
    return parentUs > nowUs || startUs <= nowUs + LATE_OF_UNKNOWN_US;
  }
  const { durationUs } = parent;
  const late = durationUs === 0 ? LATE_OF_UNKNOWN_US : Math.max(LATE_US, durationUs);
  return startUs <= parentUs + durationUs + late;
}

function note(skews: Map<string, Skew[]>, skew: Skew): void {
  const noted = skews.get(skew.agent) ?? [];
  const isNear = ({ aheadUs }: Skew): boolean =>
    Math.abs(aheadUs - skew.aheadUs) <= Math.max(NEAR_US, Math.abs(skew.aheadUs) / 10);
  if (noted.length < MOST_OF_AGENT && !noted.some(isNear)) skews.set(skew.agent, [...noted, skew]);
}
