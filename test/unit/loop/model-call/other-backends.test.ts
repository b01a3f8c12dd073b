// What one backend said goes to another in a form that it takes: the log keeps it as it came.
import type { ContentBlock, MessageParam } from "@anthropic-ai/sdk/resources/messages/messages";
import { describe, expect, it } from "vitest";
import { conversationOf, transcript } from "#shared/loop/log/conversation.ts";
import { originOf, type Backend } from "#shared/loop/log/sendable.ts";
import { Step } from "#shared/loop/log/step.ts";
import { NO_USAGE } from "#shared/budget/usage.ts";
import { ModelError } from "#shared/models/model.ts";
import { answered, asked, book, called } from "../steps.ts";
import { run, ScriptedModel } from "../scripted.ts";

const HERE: Backend = { provider: "anthropic", name: "m-1", server: { address: "here.test", port: 443 } };
const OTHERS: [string, Backend][] = [
  ["model", { ...HERE, name: "m-2" }],
  ["provider", { ...HERE, provider: "other" }],
  ["server", { ...HERE, server: { address: "there.test", port: 443 } }],
];

/** A block as it may come from any backend. */
const foreign = (block: object) => block as ContentBlock;
const said = (blocks: object[], origin = originOf(HERE)): Step => answered(blocks.map(foreign), { origin });
const blocksOf = (messages: readonly MessageParam[]) =>
  messages.flatMap(({ content }) => (typeof content === "string" ? [] : content));
const sent = (steps: readonly Step[], to = HERE) => blocksOf(transcript(steps, to));

const THOUGHT = { type: "thinking", thinking: "hm", signature: "c2lnbmVk" };
const SEALED = { type: "redacted_thinking", data: "opaque" };
const SEARCH = { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} };
const FOUND = { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [] };
const NEW = { type: "from_the_future", anything: 1 };
const TEXT = { type: "text", text: "so", citations: [{ type: "web_search_result_location", encrypted_index: "x" }] };

describe("to the backend that said it", () => {
  it("all goes back as it came", () => {
    const blocks = [THOUGHT, SEALED, SEARCH, FOUND, NEW, TEXT];
    expect(sent([asked("hi"), said(blocks)]).slice(1)).toEqual(blocks);
  });

  it.each([
    ["thinking without a signature", { type: "thinking", thinking: "hm", signature: "" }],
    ["thinking that never had a signature", { type: "thinking", thinking: "hm" }],
    ["redacted thinking without its data", { type: "redacted_thinking" }],
    ["empty text", { type: "text", text: "" }],
    ["text of white space", { type: "text", text: " \n" }],
    ["text that is null", { type: "text", text: null }],
  ])("%s does not, and an answer of nothing else is no message", (_, block) => {
    expect(sent([asked("hi"), said([block, { type: "text", text: "so" }])])).toHaveLength(2);
    expect(transcript([asked("hi"), said([block]), asked("again")], HERE)).toMatchObject([{ role: "user" }]);
  });
});

describe.each(OTHERS)("to another %s", (_, other) => {
  it("goes what was said, and nothing that is bound or known to the one before", () => {
    const call = { type: "tool_use", id: "t1", name: "echo", input: { text: "x" }, extra: "of one backend" };
    const result: Step = { kind: "tool_result", toolUseId: "t1", content: "x", isError: false };
    const steps = [asked("hi"), said([THOUGHT, SEALED, SEARCH, FOUND, NEW, TEXT, call]), result];
    expect(sent(steps, other).slice(1)).toEqual([
      { type: "text", text: "so" },
      { type: "tool_use", id: "t1", name: "echo", input: { text: "x" } },
      { type: "tool_result", tool_use_id: "t1", content: "x" },
    ]);
  });

  it("goes the text of what the API has compacted, not the API's own block", () => {
    const block = { type: "compaction" as const, content: "SUMMARY" };
    const cost = { tokensBefore: 1, tokensAfter: 1, usage: NO_USAGE };
    const about = { trigger: "auto", summary: "SUMMARY", kept: 0, origin: originOf(HERE) } as const;
    const steps: Step[] = [asked("hi"), { kind: "compaction", ...about, block, ...cost }, asked("next")];
    expect(conversationOf(steps, { ...HERE, compact: true }).compacted).toEqual(block);
    const there = conversationOf(steps, { ...other, compact: true });
    expect(there.compacted).toBeUndefined();
    expect(JSON.stringify(there.messages)).toContain("SUMMARY");
  });
});

describe("a call's id", () => {
  const ids = (steps: readonly Step[]) => {
    const blocks = sent(steps);
    return [
      blocks.flatMap((block) => (block.type === "tool_use" ? [block.id] : [])),
      blocks.flatMap((block) => (block.type === "tool_result" ? [block.tool_use_id] : [])),
    ];
  };

  it.each([
    ["functions.echo:0", "functions_echo_0"],
    ["a b/c=+", "a_b_c__"],
    ["ключ", "____"],
    ["😀", "__"],
    ["x".repeat(128), "x".repeat(64)],
    ["", "toolu"],
    ["toolu_01ok-", "toolu_01ok-"],
  ])("%j goes as %j, and so does that of its result", (id, other) => {
    expect(ids([asked("hi"), ...called({ [id]: "x" })])).toEqual([[other], [other]]);
  });

  it("is never that of another call, and stays the same however long the thread becomes", () => {
    const steps = [
      asked("hi"),
      ...called({ "a.b": "1", "a:b": "2" }),
      ...called({ a_b: "3", [`${"y".repeat(70)}1`]: "4", [`${"y".repeat(70)}2`]: "5" }),
    ];
    const [uses = [], results] = ids(steps);
    expect(new Set(uses).size).toBe(5);
    expect(uses).toEqual(results);
    expect(uses.every((id) => /^[a-zA-Z0-9_-]{1,64}$/.test(id))).toBe(true);
    for (let end = 2; end < steps.length; end++) {
      const [begun = []] = ids(steps.slice(0, end));
      expect(uses.slice(0, begun.length)).toEqual(begun);
    }
  });

  it("that a log has twice goes once only, each call with its own result", () => {
    const steps = [asked("hi"), ...called({ t1: "one" }), ...called({ t1: "two" })];
    const results = sent(steps).flatMap((block) => (block.type === "tool_result" ? [block] : []));
    expect(results.map(({ tool_use_id, content }) => [tool_use_id, content])).toEqual([
      ["t1", "one"],
      ["t1_2", "two"],
    ]);
  });
});

it.each([
  ["functions.echo", "functions_echo"],
  ["e".repeat(200), "e".repeat(128)],
  ["", "unknown"],
])("a tool's name %j goes as one that the API takes", (name, other) => {
  const call = { type: "tool_use", id: "t1", name, input: { text: "x" } };
  expect(sent([asked("hi"), said([call])])).toContainEqual({ ...call, name: other });
});

it.each([[[1]], ["text"], [null], [undefined]])("an input that is no object (%j) goes as an empty one", (input) => {
  const call = { type: "tool_use", id: "t1", name: "echo", input };
  expect(sent([asked("hi"), said([call])])).toContainEqual({ ...call, input: {} });
});

describe("a log from before it was written down who was asked", () => {
  it("is read, and what was thought goes only to the model that called itself so", () => {
    const { origin: _, ...old } = said([THOUGHT, TEXT]) as Extract<Step, { kind: "assistant" }>;
    const steps = (model: string) => Step.array().parse([asked("hi"), { ...old, model }]);
    expect(sent(steps("m-1-20260101"))).toContainEqual(THOUGHT);
    expect(sent(steps("m"))).toContainEqual(THOUGHT);
    expect(sent(steps("another")).slice(1)).toEqual([TEXT]);
  });
});

describe("a request that the backend refuses for what it has signed itself", () => {
  const signed = said([THOUGHT, SEARCH, FOUND, TEXT], {
    provider: "scripted",
    server: "model.test:443",
    model: "scripted",
  });
  const refused = { error: new ModelError("invalid_request", "Invalid `signature` in `thinking` block") };

  it("is made again without all of that, once", async () => {
    const model = new ScriptedModel(refused, { text: "done" });
    const { lines, account } = book();
    const { result } = await run(model, { steps: [asked("hi"), signed, asked("next")], account });
    expect(result).toMatchObject({ subtype: "success", text: "done" });
    expect(JSON.stringify(model.requests[0])).toContain("signature");
    expect(blocksOf(model.requests[1]?.messages ?? [])).toEqual([
      { type: "text", text: "hi" },
      { type: "text", text: "so" },
      { type: "text", text: "next" },
    ]);
    expect(lines.some((line) => line.startsWith("settle r2"))).toBe(true);
    const again = new ScriptedModel(refused, refused);
    expect((await run(again, { steps: [asked("hi"), signed, asked("next")] })).result).toMatchObject({
      errorType: "invalid_request",
    });
    expect(again.requests).toHaveLength(2);
  });

  it("is not made again where it holds nothing of the kind", async () => {
    const model = new ScriptedModel(refused);
    await run(model, { steps: [asked("hi"), ...called({ t1: "x" }), answered("so"), asked("next")] });
    expect(model.requests).toHaveLength(1);
  });
});

it("a turn writes down whom it asked, and a call under a name of its own is gone on with", async () => {
  const calls = [{ id: "functions.echo:0", name: "functions.echo", json: '{"text":"x"}' }];
  const model = new ScriptedModel({ calls }, { text: "done" });
  const { result, steps } = await run(model);
  expect(result).toMatchObject({ subtype: "success", text: "done" });
  const origin = { provider: "scripted", server: "model.test:443", model: "scripted" };
  expect(steps[1]).toMatchObject({ origin, content: [{ id: "functions.echo:0", name: "functions.echo" }] });
  expect(model.requests[1]?.messages.slice(1)).toMatchObject([
    { content: [{ type: "tool_use", id: "functions_echo_0", name: "functions_echo" }] },
    { content: [{ type: "tool_result", tool_use_id: "functions_echo_0" }] },
  ]);
});
