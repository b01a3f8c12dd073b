// The text above and below a drawn trace: the question and its cost, and where the time of the critical path went.
import type { Paint } from "../../terminal/screen.ts";
import { cutTo, oneLine, wrap } from "../../terminal/terminal-text.ts";
import { cost, count, duration, tokens, when } from "../amounts.ts";
import { type CriticalPath, ownTimes, waitsOf } from "../critical-path.ts";
import type { TraceSummary } from "../span.ts";
import type { Skew } from "../skew.ts";

/** How many spans the sentence names where the path waited for no model, tool, peer or approval. */
const NAMED = 4;
/** Most sentences on clocks, and most agents in each. */
const [MOST_CLOCK_NOTES, MOST_CLOCKS] = [4, 3];

/** The question, its cost, and the trace's id. */
export function headline(summary: TraceSummary, job: string, nowUs: number, width: number, bold: Paint): string[] {
  const asked = oneLine(summary.text);
  const title = asked === "" ? oneLine(summary.name) : `“${asked}”`;
  const facts = [
    stateOf(summary, nowUs),
    count(summary.agents.length, "agent"),
    ...(summary.modelCalls === 0
      ? []
      : [
          count(summary.modelCalls, "model call"),
          `${tokens(summary.inputTokens)} tokens in, ${tokens(summary.outputTokens)} out`,
        ]),
    ...(summary.costUsd === null ? [] : [cost(summary.costUsd)]),
    count(summary.spans, "span"),
    ...(summary.errors === 0 ? [] : [count(summary.errors, "error")]),
  ];
  const began = when(summary.startUs / 1_000, nowUs / 1_000);
  return [
    bold(cutTo(title === "" ? "A trace whose root has not arrived" : title, width)),
    ...wrap(facts, " · ", width),
    ...wrap([`trace ${summary.traceId}`, job, began], " · ", width),
  ];
}

function stateOf({ status, durationMs, startUs }: TraceSummary, nowUs: number): string {
  const took = duration(durationMs === null ? Math.max(0, nowUs - startUs) : durationMs * 1_000);
  switch (status) {
    case "ok":
      return `ok in ${took}`;
    case "error":
      return `failed after ${took}`;
    case "open":
      return `still open after ${took}`;
  }
}

/** The critical path as a sentence. */
export function pathSentence(path: CriticalPath): string {
  const total = path.segments.reduce((sum, { fromUs, toUs }) => sum + toUs - fromUs, 0);
  if (total === 0) return "The critical path took no measurable time.";
  const { approvals, model, tools, peers, own } = waitsOf(path);
  const parts: [string, number][] =
    approvals + model + tools + peers > 0
      ? [
          ...(approvals > 0 ? [["waiting for approvals", approvals] satisfies [string, number]] : []),
          ["model", model],
          ["tools", tools],
          ["waiting for peers", peers],
          ["the agents' own work", own],
        ]
      : [...ownTimes(path)]
          .map(([{ name }, us]): [string, number] => [oneLine(name), us])
          .toSorted(([, a], [, b]) => b - a)
          .slice(0, NAMED);
  const shares = parts
    .filter(([, us]) => us > 0)
    .map(([what, us]) => `${what} ${duration(us)} (${percent(us / total)})`);
  return `Critical path (●): ${duration(total)}, of which ${shares.join(", ")}.`;
}

/** Sentences on clocks that differ: one for each size. */
export function clockNotes(skews: readonly Skew[]): string[] {
  const groups = new Map<string, Set<string>>();
  for (const { agent, aheadUs } of skews) {
    const size = `${duration(Math.abs(aheadUs))} ${aheadUs > 0 ? "ahead of" : "behind"}`;
    groups.set(size, (groups.get(size) ?? new Set()).add(oneLine(agent) || "an agent without a name"));
  }
  const notes = [...groups].map(([size, agents]) => {
    if (agents.size > 1)
      return `The clocks of ${listed([...agents])} are ${size} their callers': their spans are drawn shifted.`;
    return `The clock of ${listed([...agents])} is ${size} its caller's: its spans are drawn shifted.`;
  });
  const more = notes.splice(MOST_CLOCK_NOTES).length;
  return more === 0 ? notes : [...notes, "Other clocks differ too, by other times."];
}

function listed(names: readonly string[]): string {
  if (names.length > MOST_CLOCKS)
    return `${names.slice(0, MOST_CLOCKS).join(", ")} and ${names.length - MOST_CLOCKS} more`;
  return [...names.slice(0, -2), names.slice(-2).join(" and ")].join(", ");
}

function percent(share: number): string {
  return share > 0 && share < 0.005 ? "<1 %" : `${Math.round(share * 100)} %`;
}
