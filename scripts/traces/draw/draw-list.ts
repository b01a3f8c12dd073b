// Draws a list of traces as a table, with the shortest ids that differ.
import { table } from "../../terminal/io.ts";
import { paints, type Screen } from "../../terminal/screen.ts";
import { cutTo, oneLine } from "../../terminal/terminal-text.ts";
import { cost, duration, tokens, when } from "../amounts.ts";
import type { Found } from "../store/find-trace.ts";
import type { TraceSummary } from "../span.ts";

const HEAD = ["TRACE", "WHEN", "JOB", "STATE", "TOOK", "CALLS", "TOKENS", "COST", "SPANS", "ERRORS", "ASKED"];
const NUMBERS = new Set([4, 5, 6, 7, 8, 9]);
const SHORT_ID = 8;
const LEAST_ASKED = 20;

/** `now` in milliseconds since the epoch. The question is cut only for a terminal. */
export function drawList(
  found: readonly (Pick<Found, "summary"> & { readonly store: { readonly job: string } })[],
  screen: Screen,
  now: number,
): string[] {
  const digits = distinctDigits(found.map(({ summary }) => summary.traceId));
  const rows = found.map(({ store, summary }) => [
    summary.traceId.slice(0, digits),
    when(summary.startUs / 1_000, now),
    store.job,
    summary.status,
    duration(summary.durationMs === null ? Math.max(0, now * 1_000 - summary.startUs) : summary.durationMs * 1_000),
    ...(summary.modelCalls === 0
      ? ["", "", ""]
      : [String(summary.modelCalls), tokens(summary.inputTokens + summary.outputTokens), cost(summary.costUsd)]),
    String(summary.spans),
    summary.errors === 0 ? "" : String(summary.errors),
  ]);
  const style = paints(screen);
  const lines = table(
    [HEAD.slice(0, -1), ...rows].map((row) => [...row, "|"]),
    NUMBERS,
  ).split("\n");
  return lines.map((line, index) => {
    const summary = found[index - 1]?.summary;
    const before = line.slice(0, -1);
    if (summary === undefined) return style.dim(before + HEAD.at(-1));
    const asked = askedIn(summary);
    const room = Math.max(LEAST_ASKED, screen.columns - 1 - before.length);
    const text = (before + (screen.isTerminal ? cutTo(asked, room) : asked)).trimEnd();
    return summary.status === "error" ? style.red(text) : summary.status === "open" ? style.yellow(text) : text;
  });
}

function askedIn({ text, name }: TraceSummary): string {
  return oneLine(text) || oneLine(name);
}

/** The fewest digits, but at least eight, that tell all ids apart. */
function distinctDigits(ids: readonly string[]): number {
  let digits = SHORT_ID;
  while (digits < 32 && new Set(ids.map((id) => id.slice(0, digits))).size < new Set(ids).size) digits++;
  return digits;
}
