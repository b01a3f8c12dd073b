import type { Permissions } from "#shared/loop/tools/permissions.ts";
import { describe, expect, it } from "vitest";
import { onTestFinished, vi } from "vitest";
import * as z from "zod";
import type { HookCallback } from "#shared/loop/hooks/matcher.ts";
import type { OutputOf } from "#shared/loop/hooks/output.ts";
import { transcript } from "#shared/loop/log/conversation.ts";
import { type Step } from "#shared/loop/log/step.ts";
import { defineTool } from "#shared/loop/tools/tool.ts";
import { ModelError } from "#shared/models/model.ts";
import { randomContext } from "#shared/tracing/trace-context.ts";
import { CollectingTracer } from "../../support/collecting-tracer.ts";
import { FULL_ACCESS, ECHO, run, runToRest, ScriptedModel } from "./scripted.ts";

const call = (text: string, id = "t1") => ({ id, name: "echo", json: JSON.stringify({ text }) });
const results = (steps: readonly Step[]) => steps.filter((step) => step.kind === "tool_result");

const CONTEXT = randomContext();

describe("a turn", () => {
  it("goes from tool calls to the answer, and logs every step in order", async () => {
    const model = new ScriptedModel({ text: "let me see", calls: [call("one")] }, { text: "the answer" });
    const { result, steps } = await run(model);
    expect(result).toMatchObject({ subtype: "success", text: "the answer", turns: 2 });
    expect(steps.map(({ kind }) => kind)).toEqual(["user", "assistant", "tool_result", "assistant"]);
    expect(model.requests[1]?.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
  });

  it("adds up what its model calls used, cache tokens apart", async () => {
    const { result } = await run(new ScriptedModel({ calls: [call("x")] }, { text: "done" }));
    expect(result.usage).toEqual({ inputTokens: 20, outputTokens: 14, cacheReadTokens: 8, cacheWriteTokens: 6 });
  });

  it("runs the tool calls of one message side by side", async () => {
    let running = 0;
    let most = 0;
    const slow = defineTool({
      name: "slow",
      description: "",
      input: z.object({}),
      annotations: { readOnly: true, idempotent: true },
      async run() {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running--;
        return "ok";
      },
    });
    const calls = ["a", "b", "c"].map((id) => ({ id, name: "slow", json: "{}" }));
    const { steps } = await run(new ScriptedModel({ calls }, { text: "done" }), { tools: [slow] });
    expect(most).toBe(3);
    expect(results(steps)).toHaveLength(3);
  });

  it("decides on tool_use blocks, not on a stop reason that says end_turn", async () => {
    const { result } = await run(new ScriptedModel({ calls: [call("x")], stop: "end_turn" }, { text: "after" }));
    expect(result).toMatchObject({ subtype: "success", text: "after" });
  });

  it("goes on after pause_turn with what was said so far, which is part of the answer", async () => {
    const model = new ScriptedModel({ text: "I looked, ", stop: "pause_turn" }, { text: "and found it." });
    const { result } = await run(model);
    expect(result).toMatchObject({ subtype: "success", text: "I looked, and found it." });
    expect(model.requests[1]?.messages.at(-1)).toMatchObject({ role: "assistant" });
  });

  it("takes an answer of white space for none, and keeps it from the next request", async () => {
    const { result, steps } = await run(new ScriptedModel({ text: " \n" }, { text: "" }));
    expect(result).toMatchObject({
      subtype: "error_during_execution",
      message: expect.stringMatching(/^The model returned an empty answer, and another one when it was asked again: /),
    });
    expect(transcript(steps)).toEqual([
      { role: "user", content: [{ type: "text", text: "hi" }, expect.objectContaining({ type: "text" })] },
    ]);
  });

  it.each([
    ["end_turn", "success"],
    ["stop_sequence", "success"],
    ["max_tokens", "success"],
    ["refusal", "error_during_execution"],
    ["model_context_window_exceeded", "error_during_execution"],
  ] as const)("ends on %s as %s", async (stop, subtype) => {
    const answers = Array.from({ length: 3 }, () => ({ text: "text", stop }));
    expect((await run(new ScriptedModel(...answers))).result.subtype).toBe(subtype);
  });

  it("does not run a tool call that max_tokens cut off, and tells the model", async () => {
    const { steps, result } = await run(
      new ScriptedModel({ calls: [call("x")], stop: "max_tokens" }, { text: "shorter" }),
    );
    expect(results(steps)[0]).toMatchObject({ isError: true, content: expect.stringContaining("token limit") });
    expect(result.subtype).toBe("success");
  });

  it("makes a call again that broke in mid-stream, and what it had streamed is not the answer", async () => {
    const broken = new ModelError("broken_stream", "cut");
    const { result, events } = await run(new ScriptedModel({ text: "half", error: broken }, { text: "whole" }));
    expect(result).toMatchObject({ subtype: "success", text: "whole" });
    expect(events.map(({ type }) => type)).toEqual([
      "model_start",
      "text_delta",
      "model_retry",
      "model_start",
      "text_delta",
      "model_end",
    ]);
  });

  it("waits 250 ms before that, and a second the next time, unless its model says otherwise", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const broken = { error: new ModelError("broken_stream", "cut") };
    const model = Object.assign(new ScriptedModel(broken, broken, { text: "whole" }), { retryPausesMs: undefined });
    const ran = run(model);
    await vi.advanceTimersByTimeAsync(1_249);
    expect(model.requests).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect((await ran).result).toMatchObject({ subtype: "success", text: "whole" });
  });

  it("does not let an answer into the log that could not be read again", async () => {
    const nameless = { id: "t1", name: JSON.parse("null"), json: "{}" };
    const { result, steps } = await run(new ScriptedModel({ calls: [nameless] }, { text: "whole" }));
    expect(result).toMatchObject({ subtype: "success", text: "whole" });
    expect(steps.map(({ kind }) => kind)).toEqual(["user", "model_cut", "assistant"]);
  });

  it.each(["unauthorized", "forbidden", "invalid_request"] as const)(
    "tells an error %s once and does not try again",
    async (code) => {
      const model = new ScriptedModel({ error: new ModelError(code, "told once") }, { text: "never" });
      expect((await run(model)).result).toMatchObject({ subtype: "error_during_execution", message: "told once" });
      expect(model.requests).toHaveLength(1);
    },
  );
});

describe("budgets", () => {
  it("of model calls end the turn, and say so", async () => {
    const forever = Array.from({ length: 9 }, (_, i) => ({ calls: [call("x", `t${i}`)] }));
    const { result } = await run(new ScriptedModel(...forever), { budget: { maxTurns: 3, maxWallMs: 10_000 } });
    expect(result).toMatchObject({
      subtype: "error_max_turns",
      turns: 3,
      message: expect.stringContaining("3 model calls"),
    });
  });

  it("of wall time end the span of the model call that hangs as a timeout", async () => {
    const tracer = new CollectingTracer();
    await run(new ScriptedModel({ text: "…", hang: true }), {
      budget: { maxTurns: 3, maxWallMs: 20 },
      trace: { tracer, parent: CONTEXT, task: CONTEXT, agent: "tester", contextId: "c" },
    });
    expect(tracer.spans.map(({ name, ended, attributes }) => [name, ended, attributes["error.type"]])).toEqual([
      ["chat scripted", true, "timeout"],
    ]);
    // What it used until then is paid for.
    expect(tracer.spans[0]?.attributes["gen_ai.usage.input_tokens"]).toBe(17);
  });

  it("of wall time end the turn while the model hangs", async () => {
    const { result } = await run(new ScriptedModel({ text: "…", hang: true }), {
      budget: { maxTurns: 3, maxWallMs: 20 },
    });
    expect(result).toMatchObject({ subtype: "error_max_wall_time", message: expect.stringContaining("0.02 s") });
  });
});

describe("cancellation", () => {
  it("ends a turn whose model hangs", async () => {
    const abort = new AbortController();
    const turn = run(new ScriptedModel({ text: "…", hang: true }), { signal: abort.signal, emit: () => abort.abort() });
    expect((await turn).result.subtype).toBe("canceled");
  });

  it("keeps the results that tools had returned by then", async () => {
    const abort = new AbortController();
    const hang = defineTool({
      name: "hang",
      description: "",
      input: z.object({}),
      annotations: { readOnly: true, idempotent: true },
      run: () => new Promise<string>(() => undefined),
    });
    const calls = [call("kept"), { id: "t2", name: "hang", json: "{}" }];
    const { result, steps } = await run(new ScriptedModel({ calls }), {
      tools: [ECHO, hang],
      signal: abort.signal,
      emit: ({ type }) => type === "tool_end" && abort.abort(),
    });
    expect(result.subtype).toBe("canceled");
    expect(results(steps)).toEqual([{ kind: "tool_result", toolUseId: "t1", content: "kept", isError: false }]);
  });
});

describe("tools", () => {
  const told = async (json: string, more = {}) =>
    results(
      (await run(new ScriptedModel({ calls: [{ id: "t1", name: "echo", json }] }, { text: "ok" }), more)).steps,
    )[0];

  it("get input that fits their schema, or are not run", async () => {
    expect(await told('{"text":1}')).toMatchObject({ isError: true, content: expect.stringContaining("text") });
    expect(await told("[1]")).toMatchObject({ isError: true, content: expect.stringContaining("not a JSON object") });
    expect(await told('{"text":')).toMatchObject({
      isError: true,
      content: expect.stringContaining("not a JSON object"),
    });
  });

  it("on the deny list are neither offered nor run", async () => {
    const model = new ScriptedModel({ calls: [call("x")] }, { text: "ok" });
    const { steps } = await run(model, { permissions: { ...FULL_ACCESS, deny: ["echo"] } });
    expect(model.requests[0]?.tools).toEqual([]);
    expect(results(steps)[0]).toMatchObject({ isError: true, content: "The tool echo is denied in this job." });
  });

  it("that no rule allows are offered, but not run without an approval", async () => {
    const model = new ScriptedModel({ calls: [call("x")] }, { text: "ok" });
    const permissions: Permissions = { ...FULL_ACCESS, preset: "custom", allow: ["other"] };
    const { result, steps } = await runToRest(model, { permissions });
    expect(model.requests[0]?.tools).toHaveLength(1);
    expect(result).toMatchObject({ subtype: "suspended", approvals: [{ tool: "echo", input: { text: "x" } }] });
    expect(results(steps)).toEqual([]);
  });

  it("that hang are given up at their limit, and the turn goes on", async () => {
    const hang = { ...ECHO, limitMs: 10, run: () => new Promise<string>(() => undefined) };
    const { result, steps } = await run(new ScriptedModel({ calls: [call("x")] }, { text: "went on" }), {
      tools: [hang],
    });
    expect(results(steps)[0]).toMatchObject({
      isError: true,
      content: expect.stringContaining("did not return within 0.01 s"),
    });
    expect(result).toMatchObject({ subtype: "success", text: "went on" });
  });
});

describe("hooks", () => {
  const echoed = async (hooks: Parameters<typeof run>[1]) =>
    results((await run(new ScriptedModel({ calls: [call("original")] }, { text: "ok" }), hooks)).steps)[0];

  const before = (output: Omit<NonNullable<OutputOf<"PreToolUse">["hookSpecificOutput"]>, "hookEventName">) => () => ({
    hookSpecificOutput: { hookEventName: "PreToolUse" as const, ...output },
  });

  it("PreToolUse can deny a call, with a reason for the model", async () => {
    const deny = before({ permissionDecision: "deny", permissionDecisionReason: "not today" });
    expect(await echoed({ hooks: { PreToolUse: [{ hooks: [deny] }] } })).toMatchObject({
      isError: true,
      content: "not today",
    });
  });

  it("PreToolUse can replace the input, which is validated like the model's own", async () => {
    const replace = (updatedInput: Record<string, unknown>) => ({
      PreToolUse: [{ matcher: "other|echo", hooks: [before({ updatedInput })] }],
    });
    expect(await echoed({ hooks: replace({ text: "replaced" }) })).toMatchObject({
      isError: false,
      content: "replaced",
    });
    expect(await echoed({ hooks: replace({ text: 5 }) })).toMatchObject({ isError: true });
  });

  it("PostToolUse can replace the output", async () => {
    const shout: HookCallback<"PostToolUse"> = ({ tool_response }) => ({
      hookSpecificOutput: { hookEventName: "PostToolUse", updatedToolOutput: `${String(tool_response)}!` },
    });
    expect(await echoed({ hooks: { PostToolUse: [{ hooks: [shout] }] } })).toMatchObject({ content: "original!" });
  });

  it("PostToolUse that fails keeps the output from the model only where its onFailure says so", async () => {
    const broken = () => {
      throw new Error("broken hook");
    };
    expect(await echoed({ hooks: { PostToolUse: [{ hooks: [broken] }] } })).toMatchObject({ content: "original" });
    const blocking = { PostToolUse: [{ hooks: [broken], onFailure: "block" as const }] };
    expect(await echoed({ hooks: blocking })).toMatchObject({
      isError: true,
      content: expect.not.stringContaining("original"),
    });
  });

  it("for other tools are not run", async () => {
    const hooks = { PreToolUse: [{ matcher: "other", hooks: [before({ permissionDecision: "deny" })] }] };
    expect(await echoed({ hooks })).toMatchObject({ isError: false });
  });

  it("that throw or hang do what their onFailure says", async () => {
    const broken = () => {
      throw new Error("broken hook");
    };
    const hanging = () => new Promise<void>(() => undefined);
    for (const hook of [broken, hanging]) {
      const matcher = { hooks: [hook], timeout: 0.01 };
      expect(await echoed({ hooks: { PreToolUse: [matcher] } })).toMatchObject({ isError: false, content: "original" });
      expect(await echoed({ hooks: { PreToolUse: [{ ...matcher, onFailure: "block" }] } })).toMatchObject({
        isError: true,
        content: expect.stringContaining("onFailure"),
      });
    }
  });
});

describe("the transcript", () => {
  it("answers every tool_use, a cut-off one as cut off", () => {
    const steps: Step[] = [
      { kind: "user", text: "go" },
      {
        kind: "assistant",
        content: [{ type: "tool_use", id: "t1", name: "echo", input: {}, caller: { type: "direct" } }],
        stopReason: "tool_use",
        usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 },
        model: "m",
        malformedInputs: {},
      },
      { kind: "user", text: "and now?" },
    ];
    const messages = transcript(steps);
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(messages[2]?.content).toEqual([
      expect.objectContaining({ type: "tool_result", tool_use_id: "t1", is_error: true }),
      { type: "text", text: "and now?" },
    ]);
  });

  it("gives a tool_use the result of its own call, where a model's ids repeat", async () => {
    const model = new ScriptedModel({ calls: [call("one")] }, { calls: [call("two")] }, { text: "done" });
    const { steps } = await run(model);
    const contents = transcript(steps).flatMap(({ content }) => (Array.isArray(content) ? content : []));
    const told = contents.filter((block) => block.type === "tool_result").map(({ content }) => content);
    expect(told).toEqual(["one", "two"]);
  });

  it("holds no half characters, which the API would refuse for ever after", async () => {
    const half = { ...ECHO, run: async () => `${"x".repeat(99_999)}😀` };
    const roomy = Object.assign(new ScriptedModel({ calls: [call("x")] }, { text: "ok" }), { contextTokens: 100_000 });
    const { steps } = await run(roomy, { tools: [half] });
    expect(JSON.stringify(transcript(steps))).not.toMatch(/\\ud[89a-f]/);
  });
});
