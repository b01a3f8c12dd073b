// When to kill what: a list that a seed repeats. Half of the kills, and no fewer than there are kinds of steps, come right after a step
// of a log, each kind in turn, the others at any moment. So that nothing is taken for poisoned, no more than two of these in a row leave
// hardly any time to work.
import { AGENTS, type Isolation } from "./job.ts";
import type { Random } from "./random.ts";

const ALL = [...AGENTS];

/** Where a step ends and the next begins → the agents whose logs come there. `end`: the task has come to its end. */
export const BOUNDARIES = {
  user: ALL,
  assistant: ALL,
  tool_start: ["summarizer", "fact_checker"],
  // Results of tools that may run again come to the disk with the next step.
  tool_result: ["summarizer", "fact_checker"],
  approval: ["fact_checker"],
  approval_answer: ["coordinator", "fact_checker"],
  peer_call: ["coordinator"],
  peer_task: ["coordinator"],
  peer_input: ["coordinator"],
  compaction: ["coordinator"],
  end: ALL,
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type Boundary = keyof typeof BOUNDARIES;

export const BOUNDARY_NAMES = Object.keys(BOUNDARIES).filter((name): name is Boundary => name in BOUNDARIES);

export interface Kill {
  /** A process of the job by its name, all of them, or the control plane. */
  readonly what: string;
  /** Right after one of its tasks came to this boundary, or so many milliseconds after the last restart. */
  readonly when: { readonly after: Boundary } | { readonly ms: number };
  /** No client comes back before what was cut off is gone on with: nobody but the agent itself can wake it. */
  readonly alone: boolean;
}

/** Every so many kills. */
const ALONE = 3;
const MOST_MS = 1_800;
const EARLY_MS = 250;
const MOST_EARLY = 2;

export function schedule(isolation: Isolation, kills: number, random: Random): Kill[] {
  const exact = Math.min(kills, Math.max(Math.ceil(kills / 2), BOUNDARY_NAMES.length));
  const boundaries = Array.from({ length: kills }, (_, index) =>
    index < exact ? BOUNDARY_NAMES[index % BOUNDARY_NAMES.length] : undefined,
  );
  let early = 0;
  return shuffled(boundaries, random).map((after, index) => {
    const alone = index % ALONE === 0;
    if (after !== undefined) {
      early = 0;
      return { what: isolation === "job" ? "all" : random.pick(BOUNDARIES[after]), when: { after }, alone };
    }
    const ms = random.whole(early < MOST_EARLY ? 0 : EARLY_MS, MOST_MS);
    early = ms < EARLY_MS ? early + 1 : 0;
    return { what: victim(isolation, random), when: { ms }, alone };
  });
}

function victim(isolation: Isolation, random: Random): string {
  const chance = random.next();
  if (chance < 0.2) return "control-plane";
  return isolation === "job" || chance < 0.4 ? "all" : random.pick(ALL);
}

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  return items
    .map((item) => ({ item, key: random.next() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

export function describe({ what, when, alone }: Kill): string {
  const moment = "ms" in when ? `${when.ms} ms` : when.after;
  return `${what} after ${moment}${alone ? ", alone" : ""}`;
}
