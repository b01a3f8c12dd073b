// Spans and traces made up for tests: a tree written down with indentation becomes spans as the store gives them out.
import { KIND, STATUS } from "#shared/tracing/otlp.ts";

import type { Span, TraceSummary } from "../../../../scripts/traces/span.ts";

/** A moment in 2026, in microseconds since the epoch. */
export const START_US = 1_780_000_000_000_000;

let made = 0;

/** A span that begins and lasts as it says, in milliseconds from START_US. */
export function span(
  name: string,
  startMs: number,
  durationMs: number | null,
  more: Partial<Omit<Span, "name" | "startUs" | "durationUs">> = {},
): Span {
  made += 1;
  return {
    seq: made,
    spanId: made.toString(16).padStart(16, "0"),
    parentId: "",
    name,
    agent: "coordinator",
    kind: KIND.internal,
    startUs: START_US + startMs * 1_000,
    durationUs: durationMs === null ? null : durationMs * 1_000,
    status: STATUS.unset,
    message: "",
    provisional: false,
    operation: "",
    inputTokens: 0,
    outputTokens: 0,
    costUsd: null,
    ...more,
  };
}

export function summary(more: Partial<TraceSummary> = {}): TraceSummary {
  return {
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
    kind: "query",
    name: "SendMessage",
    agent: "coordinator",
    agents: ["coordinator", "searcher"],
    startTime: new Date(START_US / 1_000).toISOString(),
    startUs: START_US,
    durationMs: 1_000,
    status: "ok",
    spans: 9,
    openSpans: 0,
    errors: 0,
    modelCalls: 3,
    inputTokens: 3_600,
    outputTokens: 450,
    costUsd: 0.0175,
    text: "What is a Durable Object?",
    bytes: 9_000,
    ...more,
  };
}

/** A question that the coordinator answers after it has asked the searcher. Milliseconds from START_US to its end: 1000. */
export function question(): Span[] {
  const root = span("SendMessage", 0, 1_000, { kind: KIND.server, operation: "SendMessage" });
  const turn = span("invoke_agent coordinator", 5, 990, { parentId: root.spanId, operation: "invoke_agent" });
  const chat = { kind: KIND.client, operation: "chat", inputTokens: 1_200, outputTokens: 150, costUsd: 0.005_85 };
  const first = span("chat claude", 10, 190, { ...chat, parentId: turn.spanId });
  const tool = span("execute_tool query_agent", 205, 500, { parentId: turn.spanId, operation: "execute_tool" });
  const call = span("SendStreamingMessage", 210, 490, {
    parentId: tool.spanId,
    kind: KIND.client,
    operation: "SendStreamingMessage",
  });
  const peer = { agent: "searcher" };
  const served = span("SendStreamingMessage", 220, 470, {
    ...peer,
    parentId: call.spanId,
    kind: KIND.server,
    operation: "SendStreamingMessage",
  });
  const answered = span("invoke_agent searcher", 225, 460, {
    ...peer,
    parentId: served.spanId,
    operation: "invoke_agent",
  });
  const peerChat = span("chat claude", 230, 450, { ...chat, ...peer, parentId: answered.spanId });
  const last = span("chat claude", 710, 280, { ...chat, parentId: turn.spanId });
  return [root, turn, first, tool, call, served, answered, peerChat, last];
}
