// No thread becomes unusable through size: whatever is in its log, the next message is answered.
import { describe, expect, it } from "vitest";
import { tokensOfText } from "#shared/loop/model-call/context-size.ts";
import { shorten, withoutThinking } from "#shared/loop/compaction/shorten.ts";
import { Step } from "#shared/loop/log/step.ts";
import { ModelError, type ModelRequest } from "#shared/models/model.ts";
import { ECHO, run, ScriptedModel, type More } from "../scripted.ts";
import { answered, asked, called, COMPACT, rounds } from "../steps.ts";
import { echoCall, searched } from "../steps.ts";

/** Refuses what does not fit its context, as an API does; a summary is SUMMARY, all else is answered with "fine". */
class StrictModel extends ScriptedModel {
  override async *stream(request: ModelRequest, signal: AbortSignal) {
    this.requests.push(structuredClone(request));
    if (tokensOfText(JSON.stringify(request)) > this.contextTokens)
      throw new ModelError("invalid_request", "prompt is too long");
    const text = request.system.startsWith("Summarise") ? "SUMMARY" : "fine";
    yield* new ScriptedModel({ text }).stream(request, signal);
  }
}

const said = (request: Pick<ModelRequest, "messages"> | undefined) => JSON.stringify(request?.messages);

async function answer(steps: readonly Step[], more: More = {}) {
  const model = new StrictModel();
  return { model, ...(await run(model, { steps, tools: [], ...more })) };
}

describe("a message that does not fit the context even alone", () => {
  const huge = asked("x".repeat(60_000));

  it("is refused before any model call, with how many tokens it has and how many fit", async () => {
    const { result, model } = await answer([huge]);
    expect(result).toMatchObject({
      subtype: "error_during_execution",
      message: expect.stringMatching(
        /^The message does not fit the model's context: it has about 20,000 tokens, and about 9,3\d\d fit\. /,
      ),
    });
    expect(model.requests).toEqual([]);
  });

  it("is refused again when its turn is taken up by another life, and the next message does not know of it", async () => {
    const { steps } = await answer([...rounds(1, 10), huge]);
    const log = Step.array().parse(JSON.parse(JSON.stringify(steps)));
    const again = await answer(log, { life: 2 });
    expect(again.result).toMatchObject({ message: expect.stringContaining("does not fit") });
    expect(again.model.requests).toEqual([]);
    const next = await answer([...log, asked("hello?")]);
    expect(next.result).toMatchObject({ subtype: "success", text: "fine" });
    expect(next.model.requests.map(said)).toEqual([expect.not.stringContaining("x".repeat(100))]);
  });

  it("is weighed by the backend where that counts tokens", async () => {
    const model = Object.assign(new ScriptedModel({ text: "fits" }), { countTokens: async () => 9_000 });
    expect((await run(model, { steps: [huge], tools: [] })).result.subtype).toBe("success");
    const dense = Object.assign(new ScriptedModel(), { countTokens: async () => 9_600 });
    expect((await run(dense, { steps: [asked("x".repeat(24_000))], tools: [] })).result).toMatchObject({
      message: expect.stringMatching(/about 9,\d\d\d tokens, and about 9,\d\d\d fit/),
    });
    expect(dense.requests).toEqual([]);
  });

  it("with room for the calls of tools beside it is refused too where the agent has tools", async () => {
    const steps = [asked("x".repeat(26_800))];
    expect((await answer(steps)).result.subtype).toBe("success");
    const { result, model } = await answer(steps, { tools: [ECHO] });
    expect(result).toMatchObject({ message: expect.stringMatching(/about 8,9\d\d tokens, and about 8,\d\d\d fit/) });
    expect(model.requests).toEqual([]);
  });

  it("with its work, which only the first call shows, is refused then, not when the budget is spent on the same calls", async () => {
    const calls = [{ id: "t1", name: "echo", json: '{"text":"x"}' }];
    const model = new ScriptedModel(...Array.from({ length: 10 }, () => ({ calls })));
    // The backend adds tokens of its own, and tells so with its answers alone.
    const counts = [7_000, 9_500];
    const counting = Object.assign(model, { countTokens: async () => counts.shift() ?? 9_500 });
    const { result, steps } = await run(counting, { steps: [asked("x".repeat(28_000))] });
    expect(result).toMatchObject({
      subtype: "error_during_execution",
      errorType: "prompt_too_long",
      message: expect.stringContaining("Send a shorter one"),
    });
    expect(model.requests).toHaveLength(1);
    expect(steps.map(({ kind }) => kind)).not.toContain("compaction");
  });

  it("is weighed with what hooks add to it", async () => {
    const more = { hookEventName: "UserPromptSubmit", additionalContext: "y".repeat(20_000) } as const;
    const hooks = { UserPromptSubmit: [{ hooks: [() => ({ hookSpecificOutput: more })] }] };
    expect((await answer([asked("x".repeat(20_000))])).result.subtype).toBe("success");
    expect((await answer([asked("x".repeat(20_000))], { hooks })).result).toMatchObject({
      message: expect.stringContaining("does not fit"),
    });
  });
});

it("a round that does not fit is summarised, cut to what fits, and the next message is answered", async () => {
  const steps = [asked("get them all"), ...called({ t1: "x".repeat(30_000), t2: "x".repeat(30_000) }), asked("next")];
  const { result, model } = await answer(steps);
  expect(result).toMatchObject({ subtype: "success", text: "fine" });
  expect(said(model.requests[0])).toMatch(/\[\d+ of 30000 characters left out\]/);
  expect(said(model.requests[1])).toMatch(/SUMMARY.*next/);
});

it("so is the last round of a turn, and the message that is being answered stays", async () => {
  const steps = [asked("get them all"), ...called({ t1: "x".repeat(30_000), t2: "x".repeat(30_000) })];
  const { result, model } = await answer(steps);
  expect(result).toMatchObject({ subtype: "success", text: "fine" });
  expect(said(model.requests[1])).toMatch(/SUMMARY.*get them all/);
  expect(said(model.requests[1])).not.toContain("tool_use");
});

it("the last round stays whole where it fits, though it has more than its share", async () => {
  const steps = [...rounds(3, 6_000), asked("get it"), ...called({ t1: "x".repeat(12_000) })];
  const { model } = await answer(steps);
  expect(said(model.requests[1])).toMatch(/SUMMARY.*get it/);
  expect(said(model.requests[1])).toContain("x".repeat(12_000));
});

it("messages that were never answered are summarised too", async () => {
  const steps = [asked("one ".repeat(4_000)), asked("two ".repeat(4_000)), asked("next")];
  const { result, model } = await answer(steps);
  expect(result.subtype).toBe("success");
  expect(said(model.requests[1])).toMatch(/SUMMARY.*next/);
  expect(said(model.requests[1])).not.toContain("one one");
});

it.each([80, 81, 85, 95])(
  "a conversation of many small pieces (%i) loses its oldest ones, pairs whole",
  async (bytes) => {
    const small = Array.from({ length: 600 }, (_, n) => [
      asked(`q${n} ${"x".repeat(bytes)}`),
      ...called({ [`t${n}`]: "y".repeat(bytes) }),
      answered(`a${n}`),
    ]);
    const { result, model } = await answer([...small.flat(), asked("next")]);
    expect(result.subtype).toBe("success");
    const [first] = model.requests;
    expect(said(first)).toMatch(/The oldest \d+ of \d+ messages were left out/);
    expect(said(first)).toContain("q570 ");
    const blocks = first?.messages.flatMap(({ content }) => (typeof content === "string" ? [] : content)) ?? [];
    const uses = blocks.flatMap((block) => (block.type === "tool_use" ? [block.id] : []));
    expect(uses.length).toBeGreaterThan(10);
    expect(blocks.flatMap((block) => (block.type === "tool_result" ? [block.tool_use_id] : []))).toEqual(uses);
  },
);

it("what is cut is never cut within a character", async () => {
  // Of two lengths, so that a cut in mid-character is met at one of them.
  for (const begin of ["", "x"]) {
    const steps = [asked("get it"), ...called({ t1: begin + "😀".repeat(20_000) }), asked("next")];
    const { model } = await answer(steps);
    expect(said(model.requests[0])).toMatch(/characters left out/);
    expect(said(model.requests[0])).not.toMatch(/\\ud[89a-f]|\ufffd/);
  }
});

it("inputs of tools and what the API's own tools returned are cut as well", async () => {
  const write = echoCall("t1", "x".repeat(30_000));
  const steps: Step[] = [
    asked("write it"),
    answered([...searched("y".repeat(30_000)), write], { stopReason: "tool_use" }),
    { kind: "tool_result", toolUseId: "t1", content: "ok", isError: false },
    asked("next"),
  ];
  const { result, model } = await answer(steps);
  expect(result.subtype).toBe("success");
  const blocks = model.requests[0]?.messages[1]?.content;
  expect(blocks).toMatchObject([
    { type: "text", text: expect.stringContaining("server_tool_use") },
    { type: "text", text: expect.stringMatching(/characters left out/) },
    { type: "tool_use", input: { cut: expect.stringMatching(/characters left out/) } },
  ]);
});

it("a backend's count says how much has to be cut", async () => {
  // Two bytes a token: by its length alone all of it would fit.
  const model = Object.assign(new ScriptedModel({ text: "SUMMARY" }, { text: "done" }), {
    countTokens: async ({ messages }: ModelRequest) => Math.ceil(JSON.stringify(messages).length / 2),
  });
  await run(model, { tools: [], steps: [asked("get it"), ...called({ t1: "x".repeat(22_000) }), asked("next")] });
  expect(said(model.requests[0])).toMatch(/characters left out/);
  expect(said(model.requests[0]).length / 2).toBeLessThan(10_000);
});

it("what fits is summarised as it is", async () => {
  const steps = [...rounds(10, 2_900), asked("last")];
  const { model } = await answer(steps);
  expect(model.requests).toHaveLength(2);
  expect(said(model.requests[0])).not.toContain("left out");
});

it("/compact makes a thread usable whose last exchange does not fit", async () => {
  const steps = [...rounds(1, 10), asked("get it"), ...called({ t1: "x".repeat(60_000) }), answered("here"), COMPACT];
  const { result, steps: after } = await answer(steps);
  expect(result).toMatchObject({ subtype: "success", text: expect.stringMatching(/^The conversation was compacted/) });
  const next = await answer([...after, asked("next")]);
  expect(next.result).toMatchObject({ subtype: "success", text: "fine" });
  expect(next.model.requests).toHaveLength(1);
});

it("what is too long is cut also where a backend has told of far fewer tokens than it can have", async () => {
  const model = new ScriptedModel({ text: "SUMMARY" });
  const long = called({ t1: "x".repeat(90_000) });
  await run(model, { steps: [asked("get it"), ...long, answered("here", { input: 100 }), COMPACT] });
  expect(said(model.requests[0])).toMatch(/characters left out/);
});

it("a summary may be no longer than the context has room for beside what it is made of", async () => {
  const model = Object.assign(new ScriptedModel({ text: "SUMMARY" }, { text: "done" }), { maxTokens: 8_000 });
  await run(model, { steps: [...rounds(5, 2_900), asked("last")] });
  expect(model.requests.map(({ maxTokens }) => maxTokens)).toEqual([5_000, 8_000]);
});

describe("a conversation that is made shorter", () => {
  const thinking = { type: "thinking", thinking: "hm", signature: "s" } as const;
  const messages = [
    { role: "user" as const, content: [{ type: "text" as const, text: "x".repeat(3_000) }] },
    { role: "assistant" as const, content: [thinking] },
  ];

  it("has room for what was compacted before it", () => {
    const compacted = { type: "compaction" as const, content: "y".repeat(3_000) };
    expect(shorten({ messages }, 1_500).messages).toBe(messages);
    const short = shorten({ messages, compacted }, 1_500);
    expect(short.compacted).toBe(compacted);
    expect(tokensOfText(JSON.stringify(short.messages))).toBeLessThan(500);
  });

  it("has no message without a block", () => {
    expect(withoutThinking(messages)).toEqual([messages[0]]);
  });
});
