// Draws sessions: a list as a table, and one as its turns, with what other agents were asked below each.
import { tokensOf } from "#shared/budget/usage.ts";

import { table } from "../terminal/io.ts";
import { paints, type Screen } from "../terminal/screen.ts";
import { cutTo, oneLine } from "../terminal/terminal-text.ts";
import { cost, count, tokens, when } from "../traces/amounts.ts";
import type { Session } from "./gather.ts";
import type { Asked, Turn } from "./walk.ts";

const HEAD = ["SESSION", "JOB", "STATE", "TURNS", "AGENTS", "LAST", "BEGAN WITH"];
const LEAST_TEXT = 20;
const MOST_COLUMNS = 100;

/** `first`: what each session began with. The text is cut only for a terminal. */
export function drawSessions(
  sessions: readonly Session[],
  first: readonly string[],
  screen: Screen,
  now: number,
): string[] {
  const rows = sessions.map(({ id, job, state, turns, agents, updatedAt }) => [
    oneLine(id),
    job,
    state,
    String(turns),
    String(agents.length),
    when(updatedAt, now),
  ]);
  const style = paints(screen);
  const lines = table(
    [HEAD.slice(0, -1), ...rows].map((row) => [...row, "|"]),
    new Set([3, 4]),
  ).split("\n");
  return lines.map((line, index) => {
    const before = line.slice(0, -1);
    if (index === 0) return style.dim(before + HEAD.at(-1));
    const text = oneLine(first[index - 1] ?? "");
    const room = Math.max(LEAST_TEXT, screen.columns - 1 - before.length);
    const state = sessions[index - 1]?.state;
    const whole = (before + (screen.isTerminal ? cutTo(text, room) : text)).trimEnd();
    return state === "failed"
      ? style.red(whole)
      : state === "working" || state === "waiting"
        ? style.yellow(whole)
        : whole;
  });
}

/** Tokens and dollars of turns, with those that they asked for. Dollars are null where a price is not known. */
export function spentOn(turns: readonly Asked[]): { readonly tokens: number; readonly usd: number | null } {
  let [all, usd]: [number, number | null] = [0, 0];
  for (const turn of turns) {
    if (!("record" in turn)) continue;
    const below = spentOn(turn.asked);
    const own = tokensOf(turn.record.usage);
    all += own + below.tokens;
    const known = turn.record.costUsd ?? (own === 0 ? 0 : null);
    usd = usd === null || known === null || below.usd === null ? null : usd + known + below.usd;
  }
  return { tokens: all, usd };
}

/** `earlier`: turns before these, which are not shown. */
export function drawConversation(
  agent: string,
  turns: readonly Turn[],
  earlier: number,
  screen: Screen,
  now: number,
): string[] {
  const style = paints(screen);
  return [
    style.bold(agent),
    ...(earlier > 0 ? [style.dim(`  … ${count(earlier, "earlier turn")}`)] : []),
    ...turns.flatMap((turn) => drawTurn(turn, 1, screen, now)),
  ];
}

function drawTurn(turn: Turn, depth: number, screen: Screen, now: number): string[] {
  const { record, asked, agent } = turn;
  const style = paints(screen);
  const indent = "  ".repeat(depth);
  const room = Math.min(MOST_COLUMNS, screen.columns) - indent.length - 4;
  const state = stateOf(record.state);
  const facts = [
    depth > 1 ? agent : `${record.n}`,
    state,
    when(record.updatedAt, now),
    `${tokens(tokensOf(record.usage))} tokens`,
    ...(record.costUsd === null ? [] : [cost(record.costUsd)]),
    ...(depth > 1 || record.traceId === "" ? [] : [`trace ${record.traceId.slice(0, 8)}`]),
  ].join("  ");
  const said = (sign: string, text: string) => `${indent}  ${style.dim(sign)} ${cutTo(oneLine(text), room)}`;
  return [
    indent + (state === "failed" ? style.red(facts) : style.dim(facts)),
    ...(record.compacted ? [`${indent}  ${style.dim("A summary replaces the turns before.")}`] : []),
    said(">", record.question),
    ...asked.flatMap((below) =>
      "record" in below
        ? drawTurn(below, depth + 1, screen, now)
        : [`${indent}  ${style.yellow(`${below.agent} ${below.why}.`)}`],
    ),
    ...(record.answer === null ? [] : [said("<", record.answer)]),
    ...(record.problem === null ? [] : [said("!", record.problem)]),
  ];
}

/** A state as A2A names it, for people. */
export function stateOf(name: string): string {
  const state = name.replace("TASK_STATE_", "").toLowerCase();
  return state === "input_required" ? "waiting" : state;
}
