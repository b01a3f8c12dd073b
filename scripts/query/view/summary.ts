// What an answer came to, in a line: who worked on it, what it took, and how to see more.
import { OPERATION } from "#shared/tracing/names.ts";
import { tokensOf } from "#shared/budget/usage.ts";

import { troupe } from "../../terminal/hint.ts";
import { wrap } from "../../terminal/terminal-text.ts";
import { cost, count, duration, tokens } from "../../traces/amounts.ts";
import type { LiveTrace } from "../../traces/store/live-trace.ts";
import type { Answer } from "../ask.ts";

/** Lines of at most `columns`; none where nothing is known. Without a job there is no trace to be seen here. */
export function summaryLines(answer: Answer, job: string | undefined, trace: LiveTrace, columns: number): string[] {
  const { usage, traceId, durationMs } = answer;
  const { summary, spans } = trace;
  const tools = spans.filter(({ operation }) => operation === OPERATION.executeTool).length;
  const facts = [
    ...(summary === undefined ? [] : [count(summary.agents.length, "agent")]),
    ...(summary === undefined || summary.modelCalls === 0 ? [] : [count(summary.modelCalls, "model call")]),
    ...(tools === 0 ? [] : [count(tools, "tool call")]),
    ...(usage === null ? [] : [`${tokens(tokensOf(usage))} tokens`]),
    ...(summary === undefined || summary.costUsd === null ? [] : [cost(summary.costUsd)]),
    duration(durationMs * 1_000),
    ...(traceId === null || job === undefined ? [] : [wayToTrace(traceId.slice(0, 8), columns)]),
  ];
  return facts.length === 1 ? [] : wrap(facts, " · ", columns);
}

/** A command cut short could not be typed. */
function wayToTrace(traceId: string, columns: number): string {
  const command = troupe`traces show ${traceId}`;
  return command.length <= columns ? command : `trace ${traceId}`;
}
