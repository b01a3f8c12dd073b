import { describe, expect, test } from "vitest";
import { BUDGETS, BudgetSpent, type Limits, PriceUnknown, type Spent, SUBTYPE } from "#shared/budget/limits.ts";
import { spentMessage } from "#shared/budget/exhaustion.ts";
import { MAX_USD, picoOf, toPico, toUsd } from "#shared/budget/price.ts";
import { allowedAnswer, checkLimits, checkToolCalls, spentIn } from "#shared/loop/log/spending.ts";
import { headroomFor } from "#shared/budget/headroom.ts";
import type { Step } from "#shared/loop/log/step.ts";

const PRICE = { input: 2, output: 10, cacheRead: 0.1, cacheWrite: 2.5 };
const USAGE = { inputTokens: 10, outputTokens: 20, cacheReadTokens: 300, cacheWriteTokens: 4000 };
const NOTHING: Spent = { turns: 0, tokens: 0, usd: 0, wallMs: 0, toolCalls: 0 };
const CALL = { inputTokens: 100, maxTokens: 1000 };

function assistant(tools: number, usage = USAGE): Step {
  const content = Array.from({ length: tools }, (_, index) => ({
    type: "tool_use" as const,
    id: `t${index}`,
    name: "web_search",
    input: {},
    caller: { type: "direct" as const },
  }));
  return { kind: "assistant", content, stopReason: null, usage, model: "m", malformedInputs: {} };
}

describe("what a task has spent", () => {
  const compaction: Step = {
    kind: "compaction",
    trigger: "auto",
    summary: "",
    kept: 0,
    tokensBefore: 9,
    tokensAfter: 1,
    usage: USAGE,
  };
  const peer: Step = { kind: "tool_result", toolUseId: "t0", content: "", isError: false, usage: USAGE };

  test("is its model calls, compactions included, all their tokens, and the tool calls asked for", () => {
    const steps: Step[] = [{ kind: "user", text: "?" }, assistant(2), peer, assistant(1), compaction, assistant(0)];
    const usd = (4 * (10 * 2 + 20 * 10 + 300 * 0.1 + 4000 * 2.5)) / 1e6;
    expect(spentIn(steps, PRICE, 5)).toEqual({ turns: 4, tokens: 4 * 4330, usd, wallMs: 5, toolCalls: 3 });
  });
  test("has no dollars without a price", () => {
    expect(spentIn([assistant(0)], undefined).usd).toBe(0);
  });
  test("is exact where floating point is not", () => {
    const dime = { ...PRICE, output: 0.1 };
    const one = assistant(0, { inputTokens: 0, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 });
    const steps = Array.from({ length: 10_000 }, () => one);
    expect(spentIn(steps, dime).usd).toBe(0.001);
  });
});

describe("money", () => {
  test("of one token is exact for prices of six decimals", () => {
    const price = { input: 0.000001, output: 8.2, cacheRead: 0.0375, cacheWrite: 123.456789 };
    const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 1, cacheWriteTokens: 1 };
    expect(picoOf(usage, price)).toBe(1 + 8_200_000 + 37_500 + 123_456_789);
    // 8.2 times a million is 8199999.999999999 in floating point.
    expect(picoOf({ ...usage, inputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 }, price)).toBe(8_200_000);
  });
  test("goes to whole pico-dollars and back, up to the largest budget", () => {
    for (const usd of [0.07, 0.1, 1.1, 8999.99, MAX_USD]) expect(toUsd(toPico(usd))).toBe(usd);
    expect(Number.isSafeInteger(toPico(MAX_USD))).toBe(true);
  });
});

test("where a price is not known, nothing is sure to fit a budget in dollars", () => {
  const used = { turns: 0, tokens: 0, pico: 0 };
  expect(headroomFor({ maxUsd: 9000 }, used, { ...CALL, price: undefined })).toBeLessThan(0);
});

describe("an agent's own budget", () => {
  test.for([
    [
      "turns",
      { maxTurns: 20 },
      { turns: 20 },
      "The budget of 20 model calls was spent before the answer was complete.",
    ],
    ["turns", { maxTurns: 1 }, { turns: 1 }, "The budget of 1 model call was spent before the answer was complete."],
    [
      "tokens",
      { maxTokens: 1000 },
      { tokens: 1200 },
      "The budget of 1000 tokens was spent before the answer was complete. It came to 1200.",
    ],
    ["usd", { maxUsd: 0.1 }, { usd: 0.1 }, "The budget of $0.1 was spent before the answer was complete."],
    [
      "wall_time",
      { maxWallMs: 90_000 },
      { wallMs: 90_000 },
      "The budget of 90 s was spent before the answer was complete.",
    ],
    [
      "tool_calls",
      { maxToolCalls: 5 },
      { toolCalls: 7 },
      "The budget of 5 tool calls was spent before the answer was complete. The model asked for 7.",
    ],
  ] as [string, Limits, Partial<Spent>, string][])("of %s (%j) is spent at %j", ([kind, limits, spent, message]) => {
    expect(checkLimits(limits, { ...NOTHING, ...spent })).toMatchObject({ kind, message });
  });

  test.for([
    [{ maxTurns: 20 }, { turns: 19 }],
    [{ maxTokens: 1000 }, { tokens: 999 }],
    [{ maxUsd: 0.3 }, { usd: 0.29 }],
    [{ maxWallMs: 90_000 }, { wallMs: 89_999 }],
    [{ maxToolCalls: 5 }, { toolCalls: 5 }],
    [{}, { turns: 1e6, tokens: 1e9, usd: 1e3, wallMs: 1e9, toolCalls: 1e6 }],
  ] as [Limits, Partial<Spent>][])("of %j allows a model call at %j", ([limits, spent]) => {
    expect(checkLimits(limits, { ...NOTHING, ...spent })).toBeUndefined();
  });

  test("of tool calls is the only one that tool calls are held to", () => {
    const spent = { ...NOTHING, turns: 9, toolCalls: 3 };
    expect(checkToolCalls({ maxTurns: 1, maxToolCalls: 3 }, spent)).toBeUndefined();
    expect(checkToolCalls({ maxToolCalls: 2 }, spent)).toMatchObject({ kind: "tool_calls" });
    expect(checkToolCalls({ maxToolCalls: 0 }, { ...NOTHING, toolCalls: 1 })).toMatchObject({ kind: "tool_calls" });
  });

  test.for([
    ["what is wanted, where there is room", {}, NOTHING, 1000],
    ["what is left of the tokens", { maxTokens: 5000 }, { ...NOTHING, tokens: 4400 }, 500],
    // $0.01 less $0.00025 for a request that may be written to the cache.
    ["what the rest can pay for", { maxUsd: 0.01 }, NOTHING, 975],
    ["all, of a last call", { maxTurns: 2 }, { ...NOTHING, turns: 1 }, 1000],
  ] as [string, Limits, Spent, number][])("allows an answer of %s", ([, limits, spent, tokens]) => {
    expect(allowedAnswer(limits, spent, CALL, PRICE, "searcher")).toBe(tokens);
  });

  test("allows no answer that would be too short to be worth it, and says what was missing", () => {
    const refused = allowedAnswer({ maxTokens: 5000 }, { ...NOTHING, tokens: 4700 }, CALL, PRICE, "searcher");
    expect(refused).toBeInstanceOf(BudgetSpent);
    expect(refused).toMatchObject({
      kind: "tokens",
      message:
        "The budget of 5000 tokens was spent before the answer was complete. So far it came to 4700; what came next needed at least 356 more.",
    });
    expect(allowedAnswer({ maxTurns: 1 }, { ...NOTHING, turns: 1 }, CALL, PRICE, "searcher")).toBeInstanceOf(
      BudgetSpent,
    );
  });

  test("in dollars does not guess a price", () => {
    expect(() => allowedAnswer({ maxUsd: 1 }, NOTHING, CALL, undefined, "searcher")).toThrow(PriceUnknown);
    expect(allowedAnswer({ maxTokens: 5000 }, NOTHING, CALL, undefined, "searcher")).toBe(1000);
  });
});

describe("a query's budget in words", () => {
  const share = { turns: 0, tokens: 0, usd: 0, toolCalls: 0 };
  const byAgent = [
    { ...share, agent: "searcher", turns: 12, usd: 0.07512345678, toolCalls: 4 },
    { ...share, agent: "coordinator", turns: 8, usd: 0.02 },
    { ...share, agent: "summarizer" },
  ];

  test("names those who spent, and how much each", () => {
    expect(spentMessage({ kind: "turns", limit: 20, spent: 20, needed: 1, byAgent })).toBe(
      "The budget of 20 model calls of the whole query was spent before the answer was complete (searcher: 12, coordinator: 8).",
    );
    expect(spentMessage({ kind: "usd", limit: 0.1, spent: 0.09512345678, needed: 0.012, byAgent })).toBe(
      "The budget of $0.1 of the whole query was spent before the answer was complete (searcher: $0.0751235, coordinator: $0.02). So far it came to $0.0951235; what came next needed at least $0.012 more.",
    );
    expect(spentMessage({ kind: "tool_calls", limit: 5, spent: 4, needed: 2, byAgent })).toContain(
      "(searcher: 4). So far it came to 4; what came next needed at least 2 more.",
    );
  });
  test("names nobody where nobody has spent", () => {
    expect(spentMessage({ kind: "tool_calls", limit: 0, spent: 0, needed: 1, byAgent: [] })).toBe(
      "The budget of 0 tool calls of the whole query was spent before the answer was complete.",
    );
  });
});

test("each budget has the result subtype of its own", () => {
  expect(BUDGETS.map((kind) => SUBTYPE[kind])).toEqual([
    "error_max_turns",
    "error_max_tokens",
    "error_max_budget_usd",
    "error_max_wall_time",
    "error_max_tool_calls",
  ]);
});
