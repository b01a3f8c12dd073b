// The estimate of a request: each thing counts once, at three bytes a token, and what the API has said of it is believed.
import { describe, expect, it } from "vitest";
import { estimateTokens, promptLimit, tokensOfSteps, type Frame } from "#shared/loop/model-call/context-size.ts";
import { conversationOf } from "#shared/loop/log/conversation.ts";
import { type Step } from "#shared/loop/log/step.ts";
import { answered, asked, called, COMPACT, book } from "../steps.ts";
import { run, ScriptedModel } from "../scripted.ts";

const NONE: Frame = { system: "", tools: [] };
const EMPTY = estimateTokens([], NONE);
const usage = { inputTokens: 1_000, outputTokens: 200, cacheReadTokens: 30, cacheWriteTokens: 4 };
const measured = answered("hello", { usage });

describe("an estimate by length", () => {
  it("is a third of the bytes of what is said, tools' results included", () => {
    expect(estimateTokens([asked("x".repeat(9_000))], NONE)).toBe(3_000 + EMPTY);
    const log = [asked("x".repeat(9_000)), ...called({ t1: "字".repeat(100) })];
    expect(estimateTokens(log, NONE) - EMPTY).toBeGreaterThanOrEqual(3_100);
    expect(estimateTokens(log, NONE) - EMPTY).toBeLessThan(3_200);
  });

  it("holds system prompt, tools and output schema once", () => {
    const long = "x".repeat(3_000);
    const tools = [{ name: "t", description: long, input_schema: { type: "object" as const } }];
    for (const frame of [
      { ...NONE, system: long },
      { ...NONE, tools },
      { ...NONE, outputSchema: { description: long } },
    ]) {
      expect(estimateTokens([], frame) - EMPTY).toBeGreaterThanOrEqual(1_000);
      expect(estimateTokens([], frame) - EMPTY).toBeLessThan(1_050);
    }
  });

  it("does not hold the conversation of a request once more", () => {
    const log = [asked("x".repeat(9_000))];
    const request = { ...NONE, ...conversationOf(log, {}) };
    expect(estimateTokens(log, request)).toBe(estimateTokens(log, NONE));
  });

  it("holds no message that the model never sees", () => {
    const refused: Step[] = [asked("x".repeat(9_000)), { kind: "blocked", reason: "no" }];
    expect(tokensOfSteps(refused)).toBe(0);
    expect(tokensOfSteps([{ ...COMPACT, text: `/compact ${"x".repeat(9_000)}` } as Step])).toBe(0);
  });
});

describe("an estimate from the last answer", () => {
  const frame = { ...NONE, system: "x".repeat(3_000) };

  it("is all its tokens, those of the cache and the answer included, and no more", () => {
    expect(estimateTokens([asked("x".repeat(9_000)), measured], frame)).toBe(1_234);
  });

  it("adds what came since", () => {
    expect(estimateTokens([asked("hi"), measured, asked("x".repeat(300))], frame)).toBe(1_334);
  });

  it("is not made from an answer that says nothing of its tokens", () => {
    expect(estimateTokens([asked("x".repeat(9_000)), answered("hello")], NONE)).toBeGreaterThan(3_000);
  });

  it("is not made from an answer before a compaction: its context is gone", () => {
    const compaction: Step = {
      kind: "compaction",
      trigger: "auto",
      summary: "x".repeat(300),
      kept: 1,
      tokensBefore: 1,
      tokensAfter: 1,
      usage,
    };
    const log = [asked("x".repeat(9_000)), measured, compaction];
    expect(estimateTokens(log, NONE)).toBeLessThan(3_300);
    expect(estimateTokens(log, NONE)).toBeGreaterThan(3_100);
    expect(estimateTokens([asked("hi"), compaction, measured], NONE)).toBe(1_234);
  });
});

it("the room of a context leaves room for the longest answer, and is at least half of it", () => {
  expect(promptLimit({ contextTokens: 10_000, maxTokens: 1_000 })).toBe(9_000);
  expect(promptLimit({ contextTokens: 10_000, maxTokens: 8_000 })).toBe(5_000);
});

it("what is reserved for a first call holds its message once, and a budget with room for it is not called spent", async () => {
  const inputs: number[] = [];
  const { account } = book({
    reserve: async ({ inputTokens, maxTokens }) => (inputs.push(inputTokens), { id: "r", maxTokens }),
  });
  const budget = { maxTurns: 1, maxWallMs: 10_000, maxTokens: 4_000 };
  const steps = [asked("x".repeat(9_000))];
  const { result } = await run(new ScriptedModel({ text: "done" }), { account, budget, steps, tools: [] });
  expect(result.subtype).toBe("success");
  expect(inputs).toEqual([3_000 + estimateTokens([], { system: "You are under test.", tools: [] })]);
});
