// Steps of a log as tests of compaction need them, and an account that writes down what it is told.
import type { ContentBlock } from "@anthropic-ai/sdk/resources/messages/messages";
import type { Account } from "#shared/budget/account.ts";
import type { AssistantStep, Step } from "#shared/loop/log/step.ts";
import { NO_USAGE, type Usage } from "#shared/budget/usage.ts";

export const asked = (text: string): Step => ({ kind: "user", text });
export const COMPACT: Step = { kind: "user", text: "/compact", command: "compact" };

/** An answer; `inputTokens` is what it says of its request, nothing when left out. */
export function answered(said: string | ContentBlock[], more: Partial<AssistantStep> & { input?: number } = {}): Step {
  const { input = 0, ...rest } = more;
  const content: ContentBlock[] = typeof said === "string" ? [{ type: "text", text: said, citations: null }] : said;
  const usage: Usage = { ...NO_USAGE, inputTokens: input };
  return { kind: "assistant", content, stopReason: "end_turn", usage, model: "m", malformedInputs: {}, ...rest };
}

export function echoCall(id: string, text: string): ContentBlock {
  return { type: "tool_use", id, name: "echo", input: { text }, caller: { type: "direct" } };
}

/** A search that the API made by itself, and the page that it found. */
export function searched(title: string): [search: ContentBlock, found: ContentBlock] {
  const caller = { type: "direct" } as const;
  const page = { type: "web_search_result" as const, title, url: "", encrypted_content: "", page_age: null };
  return [
    { type: "server_tool_use", id: "s1", name: "web_search", input: {}, caller },
    { type: "web_search_tool_result", tool_use_id: "s1", caller, content: [page] },
  ];
}

/** An answer that calls the echo tool, with the result of each call. */
export function called(results: Readonly<Record<string, string>>, more: { input?: number } = {}): Step[] {
  const calls = Object.keys(results).map((id) => echoCall(id, id));
  return [
    answered(calls, { stopReason: "tool_use", ...more }),
    ...Object.entries(results).map(([toolUseId, content]): Step => {
      return { kind: "tool_result", toolUseId, content, isError: false };
    }),
  ];
}

/** Rounds of a question and an answer each, `bytes` long, numbered from 1. */
export function rounds(count: number, bytes: number): Step[] {
  return Array.from({ length: count }, (_, n) => [
    asked(`question ${n + 1}. ${"x".repeat(bytes)}`),
    answered(`answer ${n + 1}.`),
  ]).flat();
}

export function book(more: Partial<Account> = {}): { lines: string[]; account: Account } {
  const lines: string[] = [];
  let n = 0;
  const account: Account = {
    reserve: async ({ maxTokens }) => {
      lines.push(`reserve r${++n}`);
      return { id: `r${n}`, maxTokens };
    },
    settle: async (id, used) => void lines.push(`settle ${id} ${used.inputTokens}+${used.outputTokens}`),
    cut: async (id) => void lines.push(`cut ${id}`),
    release: async (id) => void lines.push(`release ${id}`),
    countToolCalls: async () => {},
    cutEarlierLives: async () => {},
    timeIsUp: async () => Promise.reject(new Error("not asked for")),
    ...more,
  };
  return { lines, account };
}
