// Compaction: a summary stands for the older part of a conversation towards the model, and for nothing else.
import { expect, it } from "vitest";
import type { Step } from "#shared/loop/log/step.ts";
import { conversationOf } from "#shared/loop/log/conversation.ts";
import { ModelError, type ModelRequest } from "#shared/models/model.ts";
import { NO_USAGE } from "#shared/budget/usage.ts";
import { run, ScriptedModel, type Answer } from "../scripted.ts";
import { answered, asked, echoCall } from "../steps.ts";

const USAGE = { ...NO_USAGE, inputTokens: 9_000, outputTokens: 500 };

/** A long conversation: rounds with a tool call each, the last answer of which says how full the context is. */
function long(rounds: number): Step[] {
  const round = (n: number): Step[] => [
    asked(`question ${n} ${"x".repeat(3_000)}`),
    answered([echoCall(`t${n}`, "x")], { stopReason: "tool_use", usage: USAGE }),
    { kind: "tool_result", toolUseId: `t${n}`, content: `result ${n}`, isError: false },
    answered(`answer ${n}`, { usage: USAGE }),
  ];
  return Array.from({ length: rounds }, (_, n) => round(n + 1)).flat();
}

const said = ({ messages }: Pick<ModelRequest, "messages">) => JSON.stringify(messages);

/** Every tool_use has its result in the message after it, and no result stands alone. */
function pairsAreWhole({ messages }: Pick<ModelRequest, "messages">): boolean {
  const blocks = messages.flatMap(({ content }) => (typeof content === "string" ? [] : content));
  const calls = blocks.flatMap((block) => (block.type === "tool_use" ? [block.id] : []));
  const results = blocks.flatMap((block) => (block.type === "tool_result" ? [block.tool_use_id] : []));
  return JSON.stringify(calls) === JSON.stringify(results);
}

async function ask(model: ScriptedModel, log: readonly Step[], more: Parameters<typeof run>[1] = {}) {
  return run(model, { steps: [...log, { kind: "user", text: "the last question" }], ...more });
}

it("near the limit the older part is summarised, recent messages stay, and the log keeps everything", async () => {
  const log = long(4);
  const model = new ScriptedModel({ text: "SUMMARY" }, { text: "done" });
  const { result, steps } = await ask(model, log);
  expect(result).toMatchObject({ subtype: "success", text: "done" });
  const [summarising, after] = model.requests;
  expect(summarising?.system).toMatch(/^Summarise the conversation/);
  expect(said(after ?? { messages: [] })).toContain("SUMMARY");
  expect(said(after ?? { messages: [] })).not.toContain("question 1");
  expect(said(after ?? { messages: [] })).toContain("the last question");
  expect(steps.slice(0, log.length)).toEqual(log);
  expect(steps).toContainEqual(expect.objectContaining({ kind: "compaction", trigger: "auto", summary: "SUMMARY" }));
  expect(model.requests.every(pairsAreWhole)).toBe(true);
});

it("far from the limit nothing is summarised", async () => {
  const model = new ScriptedModel({ text: "done" });
  const log = long(1).map((step) => (step.kind === "assistant" ? { ...step, usage: NO_USAGE } : step));
  await ask(model, log);
  expect(model.requests).toHaveLength(1);
});

it("where the backend counts tokens, its count decides", async () => {
  const model = new ScriptedModel({ text: "done" });
  await ask(Object.assign(model, { countTokens: async () => 6_000 }), long(4));
  expect(model.requests).toHaveLength(1);
  const broken = new ScriptedModel({ text: "SUMMARY" }, { text: "done" });
  const countTokens = async () => {
    throw new ModelError("unavailable", "no count");
  };
  expect((await ask(Object.assign(broken, { countTokens }), long(4))).result.subtype).toBe("success");
});

it("a second compaction starts from the first one's summary", async () => {
  const { steps } = await ask(new ScriptedModel({ text: "FIRST" }, { text: "done" }), long(4));
  const model = new ScriptedModel({ text: "SECOND" }, { text: "done" });
  const { steps: after } = await ask(model, [...steps, ...long(3)]);
  expect(said(model.requests[0] ?? { messages: [] })).toContain("FIRST");
  expect(said(model.requests[1] ?? { messages: [] })).not.toContain("FIRST");
  expect(pairsAreWhole(conversationOf(after, {}))).toBe(true);
});

it("/compact does it on demand, with the person's words on what matters, and is no message for the model", async () => {
  const model = new ScriptedModel({ text: "SUMMARY" });
  const log: Step[] = [...long(3), { kind: "user", text: "/compact keep the numbers", command: "compact" }];
  const heard: unknown[] = [];
  const listen = (input: object) => void heard.push({ ...input });
  const hooks = { PreCompact: [{ hooks: [listen] }], PostCompact: [{ hooks: [listen] }] };
  const { result, steps } = await run(model, { steps: log, hooks });
  expect(result).toMatchObject({
    subtype: "success",
    text: expect.stringMatching(/compacted: about \d+ tokens before, \d+ now/),
  });
  expect(said(model.requests[0] ?? { messages: [] })).toContain("keep the numbers");
  expect(heard).toMatchObject([
    { hook_event_name: "PreCompact", trigger: "manual", custom_instructions: "keep the numbers" },
    { hook_event_name: "PostCompact", trigger: "manual", compact_summary: "SUMMARY" },
  ]);
  expect(JSON.stringify(conversationOf(steps, {}))).not.toContain("/compact");
  const again = await run(new ScriptedModel(), { steps, life: 2 });
  expect(again.result).toMatchObject({ subtype: "success", text: result.subtype === "success" ? result.text : "" });
});

it("/compact of a conversation that has only begun says that there is nothing to do", async () => {
  const model = new ScriptedModel();
  const { result } = await run(model, { steps: [{ kind: "user", text: "/compact", command: "compact" }] });
  expect(result).toMatchObject({ subtype: "success", text: expect.stringContaining("nothing to compact") });
  expect(model.requests).toEqual([]);
});

it("a PreCompact hook can keep the conversation as it is", async () => {
  const hooks = { PreCompact: [{ hooks: [() => ({ decision: "block" as const, reason: "not now" })] }] };
  const model = new ScriptedModel({ text: "done" });
  const { steps } = await ask(model, long(4), { hooks });
  expect(steps.some(({ kind }) => kind === "compaction")).toBe(false);
});

it("an API that compacts by itself is let, and its block is sent back word for word; where it fails the model is asked", async () => {
  const block = { type: "compaction" as const, content: "OWN", signature: "signed" };
  const own = Object.assign(new ScriptedModel({ text: "done" }), {
    compact: async () => ({ block, usage: NO_USAGE }),
  });
  const { steps } = await ask(own, long(4));
  expect(own.requests).toHaveLength(1);
  expect(own.requests[0]?.compacted).toEqual(block);
  // Another backend, which cannot read the block, gets its text.
  expect(said(conversationOf(steps, {}))).toContain("OWN");
  const failing = Object.assign(new ScriptedModel({ text: "SUMMARY" } satisfies Answer, { text: "done" }), {
    compact: async () => {
      throw new ModelError("unavailable", "not today");
    },
  });
  expect((await ask(failing, long(4))).steps).toContainEqual(expect.objectContaining({ summary: "SUMMARY" }));
});

it("a summarising call that fails ends the turn with the API's reason, and changes nothing", async () => {
  const error = new ModelError("unauthorized", "The key is wrong.");
  const { result, steps } = await ask(new ScriptedModel({ error }), long(4));
  expect(result).toMatchObject({ subtype: "error_during_execution", message: "The key is wrong." });
  expect(steps.some(({ kind }) => kind === "compaction")).toBe(false);
});

it("attempts that broke off while it summarised change nothing of what is kept", async () => {
  const broken: Answer = { text: "half", error: new ModelError("broken_stream", "broke") };
  const [smooth, bumpy] = [[], [broken, broken]].map(
    (before) => new ScriptedModel(...before, { text: "SUMMARY" }, { text: "done" }),
  );
  const first = await ask(smooth ?? new ScriptedModel(), long(4));
  const second = await ask(bumpy ?? new ScriptedModel(), long(4));
  expect(second.steps.map(({ kind }) => kind)).toContain("model_cut");
  expect(bumpy?.requests.at(-1)?.messages).toEqual(smooth?.requests.at(-1)?.messages);
  expect(second.result).toMatchObject({ text: first.result.subtype === "success" ? first.result.text : "" });
});
