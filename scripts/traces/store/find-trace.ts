// Finds the trace that a user typed: `last`, a trace id, or enough of its first digits.
import { CliError } from "../../terminal/cli-error.ts";
import { troupe } from "../../terminal/hint.ts";
import type { Io } from "../../terminal/io.ts";
import { manyLines, oneLine } from "../../terminal/terminal-text.ts";
import type { TraceSummary } from "../span.ts";
import type { Filter, TraceStore } from "./store.ts";

export interface Found {
  readonly store: TraceStore;
  readonly summary: TraceSummary;
}

const LEAST_DIGITS = 4;
const MOST_CANDIDATES = 5;

/** `text` in lower case. Throws CliError where it cannot be the beginning of an id of `length` hex digits. */
export function hexPrefix(text: string, what: string, length: number): string {
  const prefix = text.toLowerCase();
  if (/^[0-9a-f]+$/.test(prefix) && prefix.length >= LEAST_DIGITS && prefix.length <= length) return prefix;
  throw new CliError(
    "bad_input",
    `"${text}" is no ${what}: that is ${length} hex digits, or the first of them, at least ${LEAST_DIGITS}.`,
    `Run: ${troupe`traces list`}`,
  );
}

/**
 * The newest traces of all stores that match, at most `limit`. A store that cannot be read is left out with a note; where all fail,
 * the first failure is thrown.
 */
export async function newest(
  stores: readonly TraceStore[],
  filter: Filter,
  limit: number,
  io: Pick<Io, "note">,
): Promise<Found[]> {
  const failures: CliError[] = [];
  const lists = await Promise.all(
    stores.map(async (store) => {
      try {
        return (await store.list(filter, limit)).map((summary) => ({ store, summary }));
      } catch (error) {
        if (!(error instanceof CliError) || error.code === "interrupted") throw error;
        failures.push(error);
        if (stores.length > 1) io.note(manyLines(`The traces of ${store.job} are left out: ${error.message}`));
        return [];
      }
    }),
  );
  const [failure] = failures;
  if (failure !== undefined && failures.length === stores.length) throw failure;
  return lists
    .flat()
    .toSorted((a, b) => b.summary.startUs - a.summary.startUs)
    .slice(0, limit);
}

/** The trace that `wanted` names. Throws CliError when there is none, or more than one. */
export async function findTrace(stores: readonly TraceStore[], wanted: string, io: Pick<Io, "note">): Promise<Found> {
  if (wanted === "last") {
    const [last] = await newest(stores, { kind: "query" }, 1, io);
    if (last !== undefined) return last;
    throw new CliError("failed", "No query has been traced yet.", `Ask something: ${troupe`query <job> "…"`}`);
  }
  const prefix = hexPrefix(wanted, "trace id", 32);
  const candidates = await newest(stores, { id: prefix }, MOST_CANDIDATES, io);
  const [only, ...others] = candidates;
  if (only === undefined) {
    throw new CliError("failed", `There is no trace ${wanted}.`, `Run: ${troupe`traces list --kind all`}`);
  }
  if (others.length === 0) return only;
  if (others.every(({ summary }) => summary.traceId === only.summary.traceId)) return begun(candidates, io);
  const lines = candidates.map(({ summary, store }) => `  ${summary.traceId}  ${store.job}  ${oneLine(summary.name)}`);
  throw new CliError(
    "bad_input",
    `Several traces begin with ${wanted}:\n${lines.join("\n")}`,
    "Type more digits of the id.",
  );
}

/** Of one trace that several jobs have a part of, since they ask each other: the part of the job that began it. */
function begun(parts: readonly Found[], io: Pick<Io, "note">): Found {
  const [first, ...later] = parts.toSorted((a, b) => a.summary.startUs - b.summary.startUs);
  if (first === undefined) throw new RangeError("A trace has at least one part.");
  const rest = later.map(({ store, summary }) => troupe`traces show ${summary.traceId} --job ${store.job}`);
  io.note(`Shown is what ${first.store.job} did. Others went on: ${rest.join(", ")}`);
  return first;
}
