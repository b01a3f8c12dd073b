// What the agents of a trace do at this moment, a row for each.
import { KIND } from "#shared/tracing/otlp.ts";
import { OPERATION } from "#shared/tracing/names.ts";

import { cutTo, fill, oneLine, widthOf } from "../../terminal/terminal-text.ts";
import { elapsed } from "../../traces/amounts.ts";
import type { Span } from "../../traces/span.ts";

/** More agents than these are counted. */
const MOST_AGENTS = 8;
const TURNING = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const TURN_MS = 250;

interface Doing {
  readonly agent: string;
  readonly what: string;
  readonly sinceUs: number;
}

/** Rows narrower than `columns`. Before the first span has come, `entry` works since `askedUs`. */
export function activityRows(
  spans: readonly Span[],
  entry: { readonly agent: string; readonly askedUs: number },
  nowUs: number,
  columns: number,
): string[] {
  const found = doingOf(spans);
  const doing = found.length === 0 ? [{ agent: entry.agent, what: "works", sinceUs: entry.askedUs }] : found;
  const shown = doing.slice(0, MOST_AGENTS);
  const width = Math.min(24, Math.max(...shown.map(({ agent }) => widthOf(agent))));
  const sign = TURNING[Math.floor(nowUs / 1_000 / TURN_MS) % TURNING.length] ?? "";
  const rows = shown.map(({ agent, what, sinceUs }) => {
    const time = elapsed(nowUs - sinceUs);
    const head = `${sign} ${fill(cutTo(agent, width), width)}  `;
    return `${head}${cutTo(what, Math.max(8, columns - widthOf(head) - time.length - 3))}  ${time}`;
  });
  const more = doing.length - shown.length;
  return [...rows, ...(more > 0 ? [`  and ${more} more`] : [])].map((row) => cutTo(row, columns - 1));
}

/** For each agent with an open span what it does deepest down; the agents in the order in which they began. */
function doingOf(spans: readonly Span[]): Doing[] {
  const open = spans.filter(({ durationUs }) => durationUs === null);
  const agents = [...new Set(open.toSorted((a, b) => a.startUs - b.startUs).map(({ agent }) => agent))];
  return agents.flatMap((agent) => {
    const own = open.filter((span) => span.agent === agent);
    // A server's span is open while its agent works, and while it waits for a person.
    const last = own.filter(({ kind }) => kind !== KIND.server).toSorted((a, b) => b.startUs - a.startUs);
    const [first] = last;
    if (first === undefined) return [];
    const asked = askedBy(agent, open);
    if (asked.length > 0) return [{ agent: oneLine(agent), what: `asks ${asked.join(", ")}`, sinceUs: first.startUs }];
    return [{ agent: oneLine(agent), what: wordsFor(first), sinceUs: first.startUs }];
  });
}

/** The agents whose open work hangs below an open call of this agent. */
function askedBy(agent: string, open: readonly Span[]): string[] {
  const calls = new Set(
    open.filter((span) => span.agent === agent && span.kind === KIND.client).map(({ spanId }) => spanId),
  );
  const servers = open.filter(({ kind, parentId }) => kind === KIND.server && calls.has(parentId));
  return [...new Set(servers.map((span) => oneLine(span.agent)))];
}

function wordsFor({ name, operation }: Span): string {
  const rest = oneLine(name.slice(name.indexOf(" ") + 1));
  switch (operation) {
    case OPERATION.chat:
      return `thinks (${rest})`;
    case OPERATION.executeTool:
      return rest;
    case OPERATION.invokeAgent:
      return "works";
    default:
      return name.startsWith("approval ") ? `waits for an approval of ${rest}` : oneLine(name);
  }
}
