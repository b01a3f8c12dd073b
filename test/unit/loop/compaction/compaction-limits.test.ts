// When a conversation is compacted, and what of it stays word for word.
import { describe, expect, it } from "vitest";
import type { Step } from "#shared/loop/log/step.ts";
import { conversationOf } from "#shared/loop/log/conversation.ts";
import type { ModelRequest } from "#shared/models/model.ts";
import { NO_USAGE } from "#shared/budget/usage.ts";
import { run, ScriptedModel, type More } from "../scripted.ts";
import { answered, asked, called, COMPACT, rounds } from "../steps.ts";
import { echoCall, searched } from "../steps.ts";

/** Of the scripted model: a context of 10,000 tokens less an answer of 100. */
const FULL_AT = 9_405;
const said = (request: Pick<ModelRequest, "messages"> | undefined) => JSON.stringify(request?.messages);
const kindsOf = (steps: readonly Step[]) => steps.map(({ kind }) => kind);

describe("near the limit", () => {
  it.each([
    [FULL_AT - 5, 1],
    [FULL_AT + 5, 2],
  ])(
    "a request of %i tokens takes %i calls: from 95 %% of the room on a summary comes first",
    async (tokens, calls) => {
      const model = Object.assign(new ScriptedModel({ text: "one" }, { text: "two" }), {
        countTokens: async () => tokens,
      });
      await run(model, { steps: [...rounds(10, 2_400), asked("last")] });
      expect(model.requests).toHaveLength(calls);
    },
  );

  it("as many whole rounds stay as fit a fifth of the room", async () => {
    const model = new ScriptedModel({ text: "SUMMARY" }, { text: "done" });
    await run(model, { steps: [...rounds(20, 1_450), asked("last")] });
    const after = said(model.requests[1]);
    expect(after).toContain("question 18.");
    expect(after).not.toContain("question 16.");
    expect(said(model.requests[0])).toContain("question 16.");
    expect(said(model.requests[0])).not.toContain("question 18.");
  });

  it("the message that is being answered stands before the rounds that stay, when it is older than they are", async () => {
    const steps = [
      ...rounds(2, 100),
      asked("THE QUESTION"),
      ...called({ t1: "x".repeat(20_000) }),
      ...called({ t2: "x".repeat(9_000) }),
    ];
    const begin = steps.findIndex((step) => step.kind === "user" && step.text === "THE QUESTION");
    const model = new ScriptedModel({ text: "SUMMARY" }, { text: "done" });
    await run(model, { steps, begin });
    const [first, second] = model.requests[1]?.messages ?? [];
    expect(said({ messages: first ? [first] : [] })).toMatch(/SUMMARY.*THE QUESTION/);
    expect(second).toMatchObject({ role: "assistant", content: [{ type: "tool_use", id: "t2" }] });
  });

  it("an answer stays with the pause that it goes on from: its results belong to calls before the pause", async () => {
    const [search, found] = searched("x".repeat(6_000));
    const steps: Step[] = [
      ...rounds(3, 9_000),
      asked("search"),
      answered([search], { stopReason: "pause_turn" }),
      answered([found, echoCall("t1", "x")], { stopReason: "tool_use" }),
      { kind: "tool_result", toolUseId: "t1", content: "x", isError: false },
    ];
    const model = new ScriptedModel({ text: "SUMMARY" }, { text: "done" });
    const { steps: after } = await run(model, { steps, begin: 6 });
    expect(kindsOf(after)).toContain("compaction");
    const sent = said(conversationOf(after, {}));
    expect(sent.includes("server_tool_use")).toBe(sent.includes("web_search_tool_result"));
  });

  it("what the model thought before a summary of ours is not sent after it, where the API would refuse it", async () => {
    const thinking = { type: "thinking", thinking: "hm", signature: "s" } as const;
    const usage = { ...NO_USAGE, inputTokens: 9_500 };
    const steps: Step[] = [
      ...rounds(3, 3_000),
      asked("last"),
      answered([thinking, echoCall("t1", "x")], { stopReason: "tool_use", usage }),
      { kind: "tool_result", toolUseId: "t1", content: "x", isError: false },
    ];
    const again = { calls: [{ id: "t2", name: "echo", json: '{"text":"x"}' }] };
    const model = new ScriptedModel({ text: "SUMMARY" }, again, { text: "done" });
    const { steps: after } = await run(model, { steps, begin: 6 });
    expect(model.requests.map((request) => said(request).includes("thinking"))).toEqual([false, false, false]);
    expect(said(model.requests[1])).toContain('"t1"');
    // What it thinks since belongs to the shortened conversation.
    const since = answered([thinking, { type: "text", text: "so", citations: null }]);
    expect(said(conversationOf([...after, since], {}))).toContain("thinking");
    // The API's own block keeps it valid.
    const block = { type: "compaction" as const, content: "OWN" };
    const own = after.map((step) => (step.kind === "compaction" ? { ...step, block } : step));
    expect(said(conversationOf(own, { compact: true }))).toContain("thinking");
  });

  it("what the model thought is not sent to be summarised either", async () => {
    const thinking = { type: "thinking", thinking: "hm", signature: "s" } as const;
    const thought = answered([thinking, { type: "text", text: "so", citations: null }]);
    const model = new ScriptedModel({ text: "SUMMARY" }, { text: "done" });
    await run(model, { steps: [asked("first"), thought, ...rounds(10, 2_900), asked("last")] });
    expect(said(model.requests[0])).toContain("so");
    expect(said(model.requests[0])).not.toContain("thinking");
  });

  it("a second compaction begins no earlier than the first: it is made from that one's summary", async () => {
    const first: Step = {
      kind: "compaction",
      trigger: "auto",
      summary: "FIRST",
      kept: 6,
      tokensBefore: 1,
      tokensAfter: 1,
      usage: NO_USAGE,
    };
    const model = new ScriptedModel({ text: "SECOND" }, { text: "done" });
    // A frame of 7,000 tokens, and rounds of 500: those of both sides of the first compaction would fit a fifth of the room.
    const steps = [...rounds(2, 10), ...rounds(3, 1_500), first, ...rounds(2, 1_500), asked("last")];
    await run(model, { steps, system: "s".repeat(21_000) });
    expect(said(model.requests[0])).toContain("FIRST");
    expect(said(model.requests[1])).toContain("SECOND");
  });

  it("a budget that is spent is found out before anything of a compaction", async () => {
    const heard: unknown[] = [];
    const hooks = { PreCompact: [{ hooks: [() => void heard.push("PreCompact")] }] };
    const steps = [...rounds(3, 9_000), asked("last"), ...called({ t1: "x".repeat(3_000) })];
    const budget = { maxTurns: 1, maxWallMs: 10_000 };
    const { result } = await run(new ScriptedModel(), { steps, begin: 6, budget, hooks });
    expect(result.subtype).toBe("error_max_turns");
    expect(heard).toEqual([]);
  });
});

describe("what stays beside the message that is being answered", () => {
  /** Compacts in mid-turn, and returns the request after it. */
  async function after(steps: readonly Step[], begin: number, more: More & { readonly maxTokens?: number } = {}) {
    const { maxTokens = 100, ...turn } = more;
    const model = Object.assign(new ScriptedModel({ text: "SUMMARY" }, { text: "done" }), { maxTokens });
    const { steps: log } = await run(model, { tools: [], steps, begin, ...turn });
    expect(kindsOf(log)).toContain("compaction");
    return said(model.requests[1]);
  }

  it("is no last round that does not fit beside it", async () => {
    const steps = [asked("x".repeat(15_000)), ...called({ t1: "y".repeat(13_800) })];
    expect(await after(steps, 0)).not.toContain("tool_use");
  });

  it("is no last round that does not fit beside the system prompt", async () => {
    const steps = [asked("get it"), ...called({ t1: "y".repeat(13_800) })];
    expect(await after(steps, 0, { system: "s".repeat(15_000) })).not.toContain("tool_use");
  });

  it("is no last round that does not fit beside a summary of full length", async () => {
    const steps = [...rounds(1, 3_600), asked("get it"), ...called({ t1: "y".repeat(19_500) })];
    expect(await after(steps, 2, { maxTokens: 2_000 })).not.toContain("tool_use");
  });

  it("is the last round, however long an answer may be", async () => {
    const steps = [...rounds(4, 3_500), asked("get it"), ...called({ t1: "y".repeat(1_500) })];
    expect(await after(steps, 8, { maxTokens: 9_000 })).toContain("tool_use");
  });

  it("are no more rounds than fit beside it", async () => {
    const steps = [
      asked("x".repeat(25_200)),
      ...called({ t1: "y".repeat(1_700) }),
      ...called({ t2: "y".repeat(1_700) }),
    ];
    const request = await after(steps, 0);
    expect(request).toContain('"t2"');
    expect(request).not.toContain('"t1"');
  });

  it("is nothing of itself in the summary", async () => {
    const model = new ScriptedModel({ text: "SUMMARY" }, { text: "done" });
    await run(model, { steps: [...rounds(1, 3_000), asked(`LAST ${"x".repeat(26_000)}`)], tools: [] });
    expect(said(model.requests[0])).not.toContain("LAST");
    expect(said(model.requests[1])).toMatch(/SUMMARY.*LAST/);
  });

  it("is nothing to be summarised where there is no more than the summary", async () => {
    const first: Step = {
      kind: "compaction",
      trigger: "auto",
      summary: "s".repeat(1_800),
      kept: 0,
      tokensBefore: 1,
      tokensAfter: 1,
      usage: NO_USAGE,
    };
    const model = new ScriptedModel({ text: "done" });
    const steps = [asked("x".repeat(27_000)), ...called({ t1: "y" }), first];
    const { result } = await run(model, { steps, begin: 0, life: 2, tools: [] });
    expect(result).toMatchObject({ text: "done" });
    expect(model.requests).toHaveLength(1);
  });
});

describe("/compact", () => {
  it("summarises all but the last exchange, however small the conversation is", async () => {
    const model = new ScriptedModel({ text: "SUMMARY" });
    const { result, steps } = await run(model, { steps: [...rounds(30, 10), COMPACT] });
    expect(result).toMatchObject({
      subtype: "success",
      text: expect.stringMatching(/^The conversation was compacted/),
    });
    expect(said(model.requests[0])).toContain("question 29.");
    expect(said(model.requests[0])).not.toContain("question 30.");
    const after = said(conversationOf(steps, {}));
    expect(after).toMatch(/SUMMARY.*question 30\..*answer 30\./);
    expect(after).not.toContain("question 29.");
  });

  it("does not bring back a question that has been answered, where the last exchange does not fit", async () => {
    const steps = [...rounds(1, 10), asked(`question 2. ${"x".repeat(9_000)}`), answered("x".repeat(9_000)), COMPACT];
    const { steps: after } = await run(new ScriptedModel({ text: "SUMMARY" }), { steps });
    expect(said(conversationOf(after, {}))).not.toContain("question 2.");
  });

  it("tells by how much in the tokens of the backend", async () => {
    const steps = [...rounds(2, 3_000), asked("x".repeat(2_000)), answered("so", { input: 6_000 }), COMPACT];
    const { steps: after } = await run(new ScriptedModel({ text: "SUMMARY" }), { steps, tools: [] });
    const compaction = after.find((step) => step.kind === "compaction");
    expect(compaction?.tokensBefore).toBe(6_000);
    expect(compaction?.tokensAfter).toBeGreaterThan(1_300);
    expect(compaction?.tokensAfter).toBeLessThan(1_900);
  });

  it("tells by how much, system prompt and tools included", async () => {
    const system = "s".repeat(3_000);
    const { steps } = await run(new ScriptedModel({ text: "SUMMARY" }), {
      system,
      steps: [...rounds(3, 3_000), COMPACT],
    });
    const compaction = steps.find((step) => step.kind === "compaction");
    expect(compaction?.tokensBefore).toBeGreaterThan(4_000);
    expect(compaction?.tokensBefore).toBeLessThan(4_300);
    expect(compaction?.tokensAfter).toBeGreaterThan(2_000);
    expect(compaction?.tokensAfter).toBeLessThan(2_300);
  });
});
