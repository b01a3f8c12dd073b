// What hooks around a tool call say, and where it goes: to the model beside the result, instead of it, or to the end of the turn.
import { describe, expect, it } from "vitest";
import type { HookCallback, Hooks } from "#shared/loop/hooks/matcher.ts";
import type { PostToolUseFailureHookInput } from "#shared/loop/hooks/input.ts";
import { transcript } from "#shared/loop/log/conversation.ts";
import { type Step } from "#shared/loop/log/step.ts";
import { ECHO, FULL_ACCESS, run, runToRest, ScriptedModel } from "../scripted.ts";

const call = (id: string, text: string) => ({ id, name: "echo", json: JSON.stringify({ text }) });
const CALL = { calls: [call("t1", "x")] };
const BAD = { calls: [{ id: "t1", name: "echo", json: '{"text":5}' }] };
const resultIn = (steps: readonly Step[]) => steps.find((step) => step.kind === "tool_result");

describe("a PreToolUse hook's context", () => {
  const hooks: Hooks = {
    PreToolUse: [
      { hooks: [() => ({ hookSpecificOutput: { hookEventName: "PreToolUse", additionalContext: "careful" } })] },
    ],
  };

  it("reaches the model after the result", async () => {
    const model = new ScriptedModel(CALL, { text: "ok" });
    await run(model, { hooks });
    expect(model.requests[1]?.messages.at(-1)).toMatchObject({
      content: [{ type: "tool_result", content: "x" }, { text: "<note>\ncareful\n</note>" }],
    });
  });

  it("is kept while its call waits for an approval, and reaches the model with what comes of it", async () => {
    const { result, steps } = await runToRest(new ScriptedModel(CALL), {
      hooks,
      permissions: { ...FULL_ACCESS, ask: ["echo"] },
    });
    expect(result.subtype).toBe("suspended");
    expect(steps.at(-1)).toEqual({ kind: "note", about: "context", text: "careful" });
  });
});

describe("a PostToolUse hook", () => {
  const after = (output: object): Hooks => ({ PostToolUse: [{ hooks: [() => output] }] });
  const told = async (output: object) =>
    resultIn((await run(new ScriptedModel(CALL, { text: "ok" }), { hooks: after(output) })).steps);

  it("that blocks adds its reason to the result", async () => {
    const result = await told({ decision: "block", reason: "Do not believe it." });
    expect(result).toMatchObject({ isError: false, content: "x\n\nDo not believe it." });
  });

  it.each([
    ["text as it is", "[redacted]", "[redacted]"],
    ["other values as JSON", { redacted: [true, null] }, '{"redacted":[true,null]}'],
    ["null too", null, "null"],
  ])("may replace the output by any JSON value: %s", async (_, updatedToolOutput, content) => {
    const hookSpecificOutput = { hookEventName: "PostToolUse", updatedToolOutput };
    expect(await told({ hookSpecificOutput })).toMatchObject({ content });
  });
});

describe("a PostToolUseFailure hook", () => {
  it("adds its context to the error", async () => {
    const hook: HookCallback<"PostToolUseFailure"> = () => ({
      hookSpecificOutput: { hookEventName: "PostToolUseFailure", additionalContext: "It wants a text." },
    });
    const hooks = { PostToolUseFailure: [{ hooks: [hook] }] };
    const { steps } = await run(new ScriptedModel(BAD, { text: "ok" }), { hooks });
    expect(resultIn(steps)).toMatchObject({ isError: true, content: expect.stringMatching(/\n\nIt wants a text\.$/) });
  });

  it("can end the turn, with the result in the log", async () => {
    const hooks: Hooks = { PostToolUseFailure: [{ hooks: [() => ({ continue: false, stopReason: "Enough." })] }] };
    const { result, steps } = await run(new ScriptedModel(BAD), { hooks });
    expect(result).toMatchObject({ message: "Enough." });
    expect(steps.slice(-2).map(({ kind }) => kind)).toEqual(["tool_result", "stopped"]);
  });

  /** A call that never returns, in a turn that is interrupted. */
  async function interrupted(hook: HookCallback<"PostToolUseFailure">, maxWallMs: number, signal?: AbortSignal) {
    const begun = Date.now();
    const { result } = await run(new ScriptedModel(CALL), {
      tools: [{ ...ECHO, run: () => new Promise<string>(() => undefined) }],
      budget: { maxTurns: 5, maxWallMs },
      hooks: { PostToolUseFailure: [{ hooks: [hook] }] },
      ...(signal ? { signal } : {}),
    });
    return { result, tookMs: Date.now() - begun };
  }

  it("hears of a call that is interrupted, by a cancel or because the turn's time is up, and that it was", async () => {
    const heard: PostToolUseFailureHookInput[] = [];
    const hear: HookCallback<"PostToolUseFailure"> = (input) => void heard.push(input);
    expect((await interrupted(hear, 30)).result.subtype).toBe("error_max_wall_time");
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(new Error("The task was canceled.")), 20);
    expect((await interrupted(hear, 10_000, cancel.signal)).result.subtype).toBe("canceled");
    expect(heard).toMatchObject([{ is_interrupt: true }, { is_interrupt: true, error: "The task was canceled." }]);
  });

  it("does not hold an interrupted turn up, though it hangs", async () => {
    const { result, tookMs } = await interrupted(() => new Promise<void>(() => undefined), 30);
    expect(result.subtype).toBe("error_max_wall_time");
    expect(tookMs).toBeLessThan(5_000);
  });
});

describe("a PostToolBatch hook", () => {
  const batch = (output: object | undefined): Hooks => ({ PostToolBatch: [{ hooks: [() => output] }] });
  const adding = { hookSpecificOutput: { hookEventName: "PostToolBatch", additionalContext: "All of it." } };
  const fails = () => {
    throw new Error("broken");
  };

  it("that blocks, or fails with onFailure block, ends the turn before the next model call", async () => {
    for (const [hooks, message] of [
      [batch({ decision: "block", reason: "No further." }), "No further."],
      [{ PostToolBatch: [{ hooks: [fails], onFailure: "block" }] } satisfies Hooks, expect.stringContaining("broken")],
    ] as const) {
      const model = new ScriptedModel(CALL, { text: "went on" });
      const { result } = await run(model, { hooks });
      expect(result).toMatchObject({ subtype: "error_during_execution", message });
      expect(model.requests).toHaveLength(1);
    }
  });

  it("adds its context after all results, also where it ends the turn", async () => {
    const model = new ScriptedModel({ calls: [call("t1", "x"), call("t2", "y")] }, { text: "ok" });
    await run(model, { hooks: batch(adding) });
    expect(model.requests[1]?.messages.at(-1)).toMatchObject({
      content: [{ type: "tool_result" }, { type: "tool_result" }, { text: "<note>\nAll of it.\n</note>" }],
    });
    const { steps } = await run(new ScriptedModel(CALL), { hooks: batch({ ...adding, continue: false }) });
    expect(JSON.stringify(transcript(steps))).toContain("All of it.");
  });

  it("runs in the next life where the last one ended after the results, once more where nothing says that it ran", async () => {
    let runs = 0;
    const counting = (output: object | undefined): Hooks => ({
      PostToolBatch: [{ hooks: [() => (runs++, output)] }],
    });
    const { steps } = await run(new ScriptedModel(CALL, { text: "ok" }));
    const settled = steps.slice(0, steps.findIndex(({ kind }) => kind === "tool_result") + 1);
    const again = new ScriptedModel({ text: "ok" });
    await run(again, { steps: settled, life: 2, hooks: counting(adding) });
    expect(JSON.stringify(again.requests[0]?.messages)).toContain("All of it.");
    expect(runs).toBe(1);
    const told: Step[] = [...settled, { kind: "note", about: "batch", text: "All of it." }];
    await run(new ScriptedModel({ text: "ok" }), { steps: told, life: 2, hooks: counting(adding) });
    expect(runs).toBe(1);
  });
});
