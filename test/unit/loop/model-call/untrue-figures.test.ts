// Figures of a backend that cannot be true: neither sizes nor budgets go by them.
import { describe, expect, it } from "vitest";
import { countTokens, estimateTokens, tokensByLength, type Frame } from "#shared/loop/model-call/context-size.ts";
import type { Step } from "#shared/loop/log/step.ts";
import { NO_USAGE } from "#shared/budget/usage.ts";
import { event, RawMessagesApi, text } from "../../../support/raw-messages-api.ts";
import { answered, asked, rounds } from "../steps.ts";
import { run, ScriptedModel } from "../scripted.ts";

const NONE: Frame = { system: "", tools: [] };
const log = [asked("x".repeat(24_000))];
const { signal } = new AbortController();
const counting = (counted: number) => Object.assign(new ScriptedModel(), { countTokens: async () => counted });
const UNTRUE = [0, 1, 299, 1_999, 60_000, 1e15, Number.NaN, -5];

describe("a count", () => {
  const request = { ...NONE, messages: [] };
  const count = async (counted: number) => countTokens(counting(counted), request, { log, estimate: 8_000 }, signal);

  it.each(UNTRUE)("of %d tokens for 24,000 bytes is not believed: the estimate by length counts", async (counted) => {
    expect(await count(counted)).toBe(8_000);
  });

  it.each([2_010, 6_000, 24_000])("of %d tokens is", async (counted) => {
    expect(await count(counted)).toBe(counted);
  });
});

describe("what an answer says of its request", () => {
  it.each(UNTRUE)("is not believed where that is %d tokens for 24,000 bytes", (inputTokens) => {
    const steps = [...log, answered("fine", { usage: { ...NO_USAGE, inputTokens } })];
    expect(estimateTokens(steps, NONE)).toBe(tokensByLength(steps, NONE));
  });

  it("is, whatever it says of what is sealed: that has any number of bytes a token", () => {
    const sealed = { type: "thinking", thinking: "", signature: "x".repeat(100_000) } as const;
    const usage = { ...NO_USAGE, inputTokens: 2_100 };
    const steps = [...log, answered([sealed], { usage })];
    expect(estimateTokens(steps, NONE)).toBe(2_100);
  });
});

describe("a conversation near its limit is compacted", () => {
  const steps = [...rounds(10, 2_900), asked("last")];

  it.each([0, 5, 1e15])("though its backend counts %d tokens, and says nothing of what calls use", async (counted) => {
    const model = Object.assign(new ScriptedModel({ text: "SUMMARY" }, { text: "done" }), {
      countTokens: async () => counted,
    });
    const { steps: after } = await run(model, { steps, tools: [] });
    expect(after).toContainEqual(expect.objectContaining({ kind: "compaction" }));
  });
});

describe("over a socket", async () => {
  const api = await RawMessagesApi.forFile();

  async function usageFor(input: unknown, output: unknown) {
    const usage = `{"input_tokens":${String(input)},"output_tokens":${String(output)}}`;
    const begun = `event: message_start\ndata: {"type":"message_start","message":{"id":"m","model":"m","usage":${usage}}}\n\n`;
    const ended = `event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":${String(output)}}}\n\n`;
    api.behave = (response) => response.end(begun + text("whole") + ended + event({ type: "message_stop" }));
    const { steps, result } = await run(api.model());
    expect(result).toMatchObject({ subtype: "success", text: "whole" });
    const answer = steps.find((step): step is Extract<Step, { kind: "assistant" }> => step.kind === "assistant");
    return [answer?.usage.inputTokens, answer?.usage.outputTokens];
  }

  it.each(["null", "0", "-3", "1e15", '"7"', "[]"])(
    "usage of %s counts as none, and what a call has cost is estimated",
    async (figure) => {
      const [input = 0, output = 0] = await usageFor(figure, figure);
      expect(input).toBeGreaterThan(20);
      expect(input).toBeLessThan(200);
      expect(output).toBeGreaterThan(2);
      expect(output).toBeLessThan(50);
    },
  );

  it("of a fraction counts rounded up, and what is said of one side is kept where the other is left out", async () => {
    expect(await usageFor("10.2", "5.5")).toEqual([11, 6]);
    expect((await usageFor("1234", "0"))[0]).toBe(1234);
    expect((await usageFor("0", "77"))[1]).toBe(77);
  });
});
