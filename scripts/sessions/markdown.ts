// A conversation as Markdown, to be read and kept.
import { tokensOf } from "#shared/budget/usage.ts";

import { manyLines, oneLine } from "../terminal/terminal-text.ts";
import { cost, tokens } from "../traces/amounts.ts";
import type { Conversation } from "./conversations.ts";
import { stateOf } from "./draw.ts";
import type { Session } from "./gather.ts";
import type { Turn } from "./walk.ts";

export function toMarkdown({ id, job }: Session, conversations: readonly Conversation[]): string {
  return [
    `# Session ${oneLine(id)}`,
    `Job ${job}.`,
    ...conversations.flatMap(({ agent, turns }) => [
      ...(conversations.length > 1 ? [`# ${agent}`] : []),
      ...turns.flatMap((turn) => turnAs(turn, 2)),
    ]),
  ].join("\n\n");
}

/** `level` of its heading. Markdown knows six. */
function turnAs({ agent, record, asked }: Turn, level: number): string[] {
  const { n, state, updatedAt, usage, costUsd, question, answer, problem } = record;
  const facts = [
    stateOf(state),
    new Date(updatedAt).toISOString(),
    `${tokens(tokensOf(usage))} tokens`,
    ...(costUsd === null ? [] : [cost(costUsd)]),
  ];
  return [
    `${"#".repeat(Math.min(6, level))} ${agent}, turn ${n}`,
    `*${facts.join(", ")}*`,
    quoted(question),
    ...asked.flatMap((below) => ("record" in below ? turnAs(below, level + 1) : [`*${below.agent} ${below.why}.*`])),
    ...(answer === null ? [] : [manyLines(answer)]),
    ...(problem === null ? [] : [`**${manyLines(problem)}**`]),
  ];
}

function quoted(text: string): string {
  return manyLines(text)
    .split("\n")
    .map((line) => `> ${line}`.trimEnd())
    .join("\n");
}
