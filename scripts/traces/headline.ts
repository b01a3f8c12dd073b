// What is said above and below a drawn trace: what was asked and what it took, and where the time of the critical path went.
import type { Paint } from "../screen.ts";
import { cut, oneLine, wrap } from "../terminal-text.ts";
import { cost, count, duration, tokens, when } from "./amounts.ts";
import { type CriticalPath, ownTimes, waitsOf } from "./critical-path.ts";
import type { TraceSummary } from "./shapes.ts";

/** How many spans are named where the path was neither model nor tools. */
const NAMED = 4;

/** The question, what it took, and which trace it is. */
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
    bold(cut(title === "" ? "A trace whose root has not come" : title, width)),
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

function percent(share: number): string {
  return share > 0 && share < 0.005 ? "<1 %" : `${Math.round(share * 100)} %`;
}
