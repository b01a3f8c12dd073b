// When to kill what: a list that a seed repeats. Half of the kills come right after a write to a log, each count of writes in turn, the
// others at any moment. So that nothing is taken for poisoned, no more than two kills in a row leave hardly any time to work.
import { AGENTS, type Isolation } from "./job.ts";
import type { Random } from "./random.ts";

export interface Kill {
  /** A process of the job by its name, all of them, or the control plane. */
  readonly what: string;
  /** After so many writes since the last restart, those of the victim where it is one agent, or so many milliseconds. */
  readonly when: { readonly writes: number } | { readonly ms: number };
}

const MOST_WRITES = 40;
const MOST_MS = 1_800;
const EARLY = { writes: 6, ms: 250 };
const MOST_EARLY = 2;

export function schedule(isolation: Isolation, kills: number, random: Random): Kill[] {
  const counts = shuffled(
    Array.from({ length: Math.ceil(kills / 2) }, (_, index) => 1 + (index % MOST_WRITES)),
    random,
  );
  let early = 0;
  return Array.from({ length: kills }, (_, index) => {
    const count = index % 2 === 0 ? counts.pop() : undefined;
    const what = victim(isolation, random);
    // One agent alone writes less than all of them.
    const writes = count !== undefined && AGENTS.has(what) ? Math.ceil(count / AGENTS.size) : count;
    let when: Kill["when"] = writes === undefined ? { ms: random.whole(0, MOST_MS) } : { writes };
    early = isEarly(when) ? early + 1 : 0;
    if (early > MOST_EARLY) [when, early] = [{ ms: random.whole(EARLY.ms, MOST_MS) }, 0];
    return { what, when };
  });
}

function victim(isolation: Isolation, random: Random): string {
  const chance = random.next();
  if (chance < 0.1) return "control-plane";
  return isolation === "job" || chance < 0.2 ? "all" : random.pick([...AGENTS]);
}

function isEarly(when: Kill["when"]): boolean {
  return "ms" in when ? when.ms < EARLY.ms : when.writes < EARLY.writes;
}

function shuffled(values: readonly number[], random: Random): number[] {
  return values
    .map((value) => ({ value, key: random.next() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ value }) => value);
}

export function describe({ what, when }: Kill): string {
  return "ms" in when ? `${what} after ${when.ms} ms` : `${what} at write ${when.writes}`;
}
