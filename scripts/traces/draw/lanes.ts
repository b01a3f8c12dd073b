// Assigns the slices of each agent to as few lanes as possible. In a lane two slices never overlap, and one lies within
// the other only where that is its ancestor.

/** Times in any one unit. */
interface Slice {
  readonly spanId: string;
  readonly parentId: string;
  readonly agent: string;
  readonly startUs: number;
  readonly endUs: number;
}

export interface Lane<S extends Slice> {
  /** The agent, from its second lane on with a number: `searcher (2)`. */
  readonly name: string;
  readonly slices: S[];
}

interface Building<S extends Slice> extends Lane<S> {
  /** Slices that are open at the present moment of the walk, each within the one before. */
  readonly around: S[];
}

/** `slices` come in the order of their beginnings, parents first. Lanes come in the order of the agents' first slices. */
export function assignLanes<S extends Slice>(slices: readonly S[]): Lane<S>[] {
  const agents = new Map<string, Building<S>[]>();
  const homes = new Map<string, Building<S>>();
  const bySpan = new Map(slices.map((slice) => [slice.spanId, slice]));
  for (const slice of slices) {
    const lanes = agents.get(slice.agent) ?? [];
    agents.set(slice.agent, lanes);
    const parent = ownAncestor(slice, bySpan);
    const home = parent === undefined ? undefined : homes.get(parent.spanId);
    let lane = home !== undefined && fitsBelow(home, slice, parent) ? home : undefined;
    lane ??= lanes.find((candidate) => isFree(candidate, slice));
    if (lane === undefined) {
      const name = lanes.length === 0 ? slice.agent : `${slice.agent} (${lanes.length + 1})`;
      lane = { name, slices: [], around: [] };
      lanes.push(lane);
    }
    lane.slices.push(slice);
    lane.around.push(slice);
    homes.set(slice.spanId, lane);
  }
  return [...agents.values()].flat();
}

/** The nearest ancestor of the same agent. */
function ownAncestor<S extends Slice>(slice: S, bySpan: ReadonlyMap<string, S>): S | undefined {
  const seen = new Set([slice.spanId]);
  let ancestor = bySpan.get(slice.parentId);
  while (ancestor !== undefined && ancestor.agent !== slice.agent && !seen.has(ancestor.spanId)) {
    seen.add(ancestor.spanId);
    ancestor = bySpan.get(ancestor.parentId);
  }
  return ancestor?.agent === slice.agent ? ancestor : undefined;
}

function fitsBelow<S extends Slice>(lane: Building<S>, slice: S, parent: S | undefined): boolean {
  forgetEnded(lane, slice.startUs);
  const top = lane.around.at(-1);
  return top === undefined || (top === parent && top.endUs >= slice.endUs);
}

function isFree<S extends Slice>(lane: Building<S>, slice: S): boolean {
  forgetEnded(lane, slice.startUs);
  return lane.around.length === 0;
}

/** Drops the slices that have ended at `now`. */
function forgetEnded<S extends Slice>({ around }: Building<S>, now: number): void {
  for (let top = around.at(-1); top !== undefined && top.endUs <= now; top = around.at(-1)) around.pop();
}
