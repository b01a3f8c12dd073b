// A summary counts only when it ended well. What came to nothing is paid for, written down, and changes nothing.
import { describe, expect, it } from "vitest";
import type { Step } from "#shared/loop/step.ts";
import { conversationOf } from "#shared/loop/conversation.ts";
import { ModelError } from "#shared/models/model.ts";
import { NO_USAGE } from "#shared/budget/usage.ts";
import { run, ScriptedModel, type Answer } from "./scripted.ts";
import { asked, book, called, COMPACT, rounds } from "./steps.ts";

const FULL = [...rounds(10, 2_900), asked("last")];
const compactions = (steps: readonly Step[]) => steps.filter(({ kind }) => kind.startsWith("compaction"));
const refused: Answer = { text: "I can't help with that.", stop: "refusal" };

describe("a summary", () => {
  it.each<[string, Answer, RegExp]>([
    ["that was refused", refused, /refused/],
    ["that max_tokens cut off", { text: "half a", stop: "max_tokens" }, /did not fit/],
    ["that the context cut off", { text: "half a", stop: "model_context_window_exceeded" }, /broke off/],
    ["that pauses", { text: "half a", stop: "pause_turn" }, /broke off/],
    ["of white space", { text: " \n" }, /no summary/],
    ["whose request was refused", { error: new ModelError("invalid_request", "as told") }, /as told/],
  ])("%s does not replace the conversation, and the turn goes on with that", async (_, answer, reason) => {
    const model = new ScriptedModel(answer, { text: "done" });
    const { result, steps } = await run(model, { steps: FULL });
    expect(result).toMatchObject({ subtype: "success", text: "done" });
    expect(compactions(steps)).toMatchObject([
      { kind: "compaction_failed", trigger: "auto", by: "model", reason: expect.stringMatching(reason) },
    ]);
    expect(model.requests[1]?.messages).toEqual(conversationOf(FULL, {}).messages);
  });

  it("that failed leaves it to the API whether the conversation still fits, in its words", async () => {
    const error = new ModelError("invalid_request", "prompt is too long");
    const { result } = await run(new ScriptedModel(refused, { error }), { steps: FULL });
    expect(result).toMatchObject({ subtype: "error_during_execution", message: "prompt is too long" });
  });

  it.each(["end_turn", "stop_sequence"] as const)("that ended as %s counts", async (stop) => {
    const { steps } = await run(new ScriptedModel({ text: "SUMMARY", stop }, { text: "done" }), { steps: FULL });
    expect(compactions(steps)).toMatchObject([{ kind: "compaction", summary: "SUMMARY" }]);
  });

  it.each([
    ["the model failed to make is not asked for again in the same turn", "model", 0],
    ["the API alone failed to make is", "api", 1],
  ] as const)("that %s", async (_, by, more) => {
    const failed: Step = { kind: "compaction_failed", trigger: "auto", by, reason: "no", usage: NO_USAGE };
    const steps = [...FULL, failed, ...called({ t1: "x" }, { input: 9_600 })];
    const model = new ScriptedModel(...[{ text: "SUMMARY" }, { text: "done" }].slice(1 - more));
    const begin = FULL.length - 1;
    expect((await run(model, { steps, begin, life: 2 })).result).toMatchObject({ text: "done" });
    // In the next turn it is, in any case.
    const next = new ScriptedModel({ text: "SUMMARY" }, { text: "done" });
    await run(next, { steps: [...steps, asked("next")] });
    expect(next.requests).toHaveLength(2);
  });

  it("that was wanted by /compact and failed is told, with why", async () => {
    const { result, steps } = await run(new ScriptedModel(refused), { steps: [...rounds(3, 10), COMPACT] });
    expect(result).toMatchObject({
      subtype: "success",
      text: "The conversation was not compacted. The model refused to summarise it.",
    });
    expect(compactions(steps)).toMatchObject([{ kind: "compaction_failed", trigger: "manual" }]);
  });

  it("is not shown to whoever watches the answer grow", async () => {
    const { events } = await run(new ScriptedModel({ text: "SUMMARY" }, { text: "done" }), { steps: FULL });
    expect(JSON.stringify(events)).not.toContain("SUMMARY");
    expect(JSON.stringify(events)).toContain("done");
  });
});

describe("what a summary costs", () => {
  const price = { input: 1, output: 1, cacheRead: 1, cacheWrite: 1 };
  const parts = () => {
    const { lines, account } = book();
    return { lines, more: { account, steps: FULL } };
  };

  it("is settled once it is in the log, with the reservation, so that another life can settle it again", async () => {
    const { lines, more } = parts();
    const { steps } = await run(new ScriptedModel({ text: "SUMMARY" }, { text: "done" }), more);
    expect(lines).toEqual(["reserve r1", "settle r1 10+7", "reserve r2", "settle r2 10+7"]);
    expect(compactions(steps)).toMatchObject([{ kind: "compaction", reservation: "r1" }]);
  });

  it("is settled also where nothing came of it, and counts in the result", async () => {
    const { lines, more } = parts();
    const model = Object.assign(new ScriptedModel(refused, { text: "done" }), { price });
    const { result, steps } = await run(model, more);
    expect(lines).toEqual(["reserve r1", "settle r1 10+7", "reserve r2", "settle r2 10+7"]);
    expect(compactions(steps)).toMatchObject([{ reservation: "r1", usage: { inputTokens: 10, outputTokens: 7 } }]);
    expect(result.usage).toMatchObject({ inputTokens: 20, outputTokens: 14 });
    expect(result.costUsd).toBeCloseTo(48 / 1e6, 12);
  });

  it("counts against the agent's own budget also where nothing came of it", async () => {
    const budget = { maxTurns: 1, maxWallMs: 10_000 };
    const model = new ScriptedModel(refused, { text: "never" });
    expect((await run(model, { steps: FULL, budget })).result.subtype).toBe("error_max_turns");
    expect(model.requests).toHaveLength(1);
  });

  it.each(["compaction", "compaction_failed"] as const)(
    "of an earlier life is settled by the next: %s",
    async (kind) => {
      const usage = { inputTokens: 9, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 };
      const own = { trigger: "auto", usage, reservation: "earlier" } as const;
      const step: Step =
        kind === "compaction"
          ? { kind, summary: "SUMMARY", kept: 1, tokensBefore: 1, tokensAfter: 1, ...own }
          : { kind, by: "model", reason: "no", ...own };
      const { lines, account } = book();
      const steps = [...rounds(1, 10), asked("last"), step];
      await run(new ScriptedModel({ text: "done" }), { steps, begin: 2, life: 2, account });
      expect(lines[0]).toBe("settle earlier 9+1");
    },
  );

  it("is set aside for no more than the context holds", async () => {
    const inputs: number[] = [];
    const { account } = book({
      reserve: async ({ inputTokens, maxTokens }) => (inputs.push(inputTokens), { id: "r", maxTokens }),
    });
    const steps = [asked("get"), ...called({ t1: "x".repeat(60_000) }), asked("next")];
    await run(new ScriptedModel({ text: "SUMMARY" }, { text: "done" }), { steps, account });
    expect(inputs[0]).toBe(9_900);
  });
});

describe("a hook that ends the turn", () => {
  const stop = { hooks: [() => ({ continue: false, stopReason: "enough" })] };

  it("at PreCompact does so before anything is asked", async () => {
    const model = new ScriptedModel();
    const { result, steps } = await run(model, { steps: FULL, hooks: { PreCompact: [stop] } });
    expect(result).toMatchObject({ subtype: "error_during_execution", message: "enough" });
    expect(model.requests).toEqual([]);
    expect(compactions(steps)).toEqual([]);
  });

  it("at PostCompact does so once the summary is in the log", async () => {
    const model = new ScriptedModel({ text: "SUMMARY" });
    const { result, steps } = await run(model, { steps: FULL, hooks: { PostCompact: [stop] } });
    expect(result).toMatchObject({ subtype: "error_during_execution", message: "enough" });
    expect(compactions(steps)).toMatchObject([{ kind: "compaction" }]);
  });
});
