// A turn that is gone on with: whatever step its life ended at, the next one comes to the same end, and does nothing twice.
import { describe, expect, it } from "vitest";
import * as z from "zod";
import type { Step } from "#shared/loop/log/step.ts";
import { transcript } from "#shared/loop/log/conversation.ts";
import { defineTool } from "#shared/loop/tools/tool.ts";
import { ECHO, FULL_ACCESS, run, runToRest, ScriptedModel, type Answer } from "./scripted.ts";

function tools() {
  const done: string[] = [];
  const post = defineTool({
    name: "post",
    description: "Posts: not to be done twice",
    input: z.object({ text: z.string() }),
    annotations: { readOnly: false, idempotent: false },
    run: ({ text }, { idempotencyKey }) => {
      done.push(`${text} ${idempotencyKey}`);
      return "Posted.";
    },
  });
  return { done, tools: [ECHO, post] };
}

const call = (id: string, name: string, text: string) => ({ id, name, json: JSON.stringify({ text }) });
const ANSWERS: readonly Answer[] = [
  { calls: [call("e1", "echo", "one"), call("p1", "post", "first")] },
  { text: "thinking", stop: "pause_turn" },
  { calls: [call("p2", "post", "second")] },
  { text: "done" },
];

/** A model whose answers go by what is in the log, as a real one's do. */
function modelAfter(log: readonly Step[]): ScriptedModel {
  return new ScriptedModel(...ANSWERS.slice(log.filter(({ kind }) => kind === "assistant").length));
}

/** Another life, with this log of the one before. */
async function liveOn(log: readonly Step[]) {
  const { done, tools: own } = tools();
  return { done, ...(await run(modelAfter(log), { steps: log, tools: own, life: 2 })) };
}

const resultOf = (steps: readonly Step[], id: string) =>
  steps.filter((step) => step.kind === "tool_result" && step.toolUseId === id);

describe("a turn that was cut off", () => {
  it("comes to the same end from each step on, and runs nothing twice that may not be", async () => {
    const whole = await run(modelAfter([]), tools());
    expect(whole.result).toMatchObject({ subtype: "success", text: "done", turns: 4 });
    const cuts = whole.steps.map((_, index) => index + 1);
    const ends = await Promise.all(cuts.map(async (cut) => liveOn(whole.steps.slice(0, cut))));
    for (const [index, { result, steps }] of ends.entries()) {
      expect(result, `cut at ${index + 1}`).toMatchObject({ subtype: "success", text: "done", turns: 4 });
      expect(result.usage).toEqual(whole.result.usage);
      expect(steps.slice(0, index + 1)).toEqual(whole.steps.slice(0, index + 1));
    }
  });

  it.each(["p1", "p2"])(
    "does not run %s again once it has begun, and tells the model that it was cut off",
    async (id) => {
      const { steps: whole } = await run(modelAfter([]), tools());
      const start = whole.findIndex((step) => step.kind === "tool_start" && step.toolUseId === id);
      const settled = whole.findIndex((step) => step.kind === "tool_result" && step.toolUseId === id);
      const before = await liveOn(whole.slice(0, start));
      expect(before.done.filter((line) => line.endsWith(`key of ${id}`))).toHaveLength(1);
      expect(resultOf(before.steps, id)).toEqual([expect.objectContaining({ isError: false, content: "Posted." })]);
      const between = await liveOn(whole.slice(0, start + 1));
      expect(between.done.filter((line) => line.endsWith(`key of ${id}`))).toEqual([]);
      expect(resultOf(between.steps, id)).toEqual([
        expect.objectContaining({ isError: true, content: expect.stringContaining("cut off") }),
      ]);
      const after = await liveOn(whole.slice(0, settled + 1));
      expect(after.done.filter((line) => line.endsWith(`key of ${id}`))).toEqual([]);
      expect(resultOf(after.steps, id)).toEqual([expect.objectContaining({ content: "Posted." })]);
    },
  );

  it("ends at once when its last answer was there already", async () => {
    const { steps: log } = await run(new ScriptedModel({ text: "done" }));
    const model = new ScriptedModel();
    const { result, steps } = await run(model, { steps: log, life: 2 });
    expect(result).toMatchObject({ subtype: "success", text: "done" });
    expect([model.requests, steps]).toEqual([[], log]);
  });

  it("writes that a tool begins before it runs, where it may not run twice, and only there", async () => {
    const log: string[][] = [];
    const { tools: both } = tools();
    const watched = both.map((tool) => ({
      ...tool,
      run: (input: unknown, about: Parameters<typeof tool.run>[1]) => {
        log.push([tool.name]);
        return tool.run(input, about);
      },
    }));
    const { steps } = await run(modelAfter([]), { tools: watched });
    expect(steps.filter(({ kind }) => kind === "tool_start")).toEqual([
      { kind: "tool_start", toolUseId: "p1" },
      { kind: "tool_start", toolUseId: "p2" },
    ]);
    expect(log).toHaveLength(3);
  });

  it("has spent the time that it had worked before", async () => {
    const { result } = await run(new ScriptedModel({ text: "never" }), {
      workedMs: 10_000,
      budget: { maxTurns: 5, maxWallMs: 10_000 },
      model: new ScriptedModel({ hang: true, text: "…" }),
    });
    expect(result).toMatchObject({ subtype: "error_max_wall_time" });
  });
});

describe("a turn that waits for an approval", () => {
  const ask = { permissions: { ...FULL_ACCESS, ask: ["post"] } };

  async function suspended() {
    const { done, tools: own } = tools();
    const { result, steps } = await runToRest(new ScriptedModel(ANSWERS[0] ?? {}), { ...ask, tools: own });
    if (result.subtype !== "suspended") throw new Error("It did not wait.");
    return { done, tools: own, steps, approval: result.approvals[0] };
  }

  it("has run what needs none, and holds back only what does", async () => {
    const { done, steps, approval } = await suspended();
    expect(done).toEqual([]);
    expect(approval).toMatchObject({ tool: "post", agent: "tester", input: { text: "first" } });
    expect(steps.map(({ kind }) => kind)).toEqual(["user", "assistant", "approval", "tool_result"]);
  });

  it("goes on waiting when it is gone on with and nothing was answered, without another model call", async () => {
    const { tools: own, steps, approval } = await suspended();
    const model = new ScriptedModel();
    const { result, steps: after } = await runToRest(model, { ...ask, tools: own, steps, life: 2 });
    expect(result).toEqual({ subtype: "suspended", approvals: [approval] });
    expect([after, model.requests]).toEqual([steps, []]);
  });

  it.each([
    ["allow", "Posted.", 1],
    ["deny", "said no", 0],
    ["expired", "in time", 0],
  ] as const)("after %s tells the model so", async (decision, words, runs) => {
    const { done, tools: own, steps, approval } = await suspended();
    const answer: Step = { kind: "approval_answer", id: approval?.id ?? "", decision, by: "client" };
    const model = new ScriptedModel({ text: "after" });
    const { result, steps: after } = await run(model, { ...ask, tools: own, steps: [...steps, answer] });
    expect(result).toMatchObject({ subtype: "success", denials: runs === 1 ? [] : [{ tool_name: "post" }] });
    expect(done).toHaveLength(runs);
    expect(JSON.stringify(transcript(after))).toContain(words);
  });

  it("is not let off a deny rule that came meanwhile", async () => {
    const { done, tools: own, steps, approval } = await suspended();
    const answer: Step = { kind: "approval_answer", id: approval?.id ?? "", decision: "allow", by: "client" };
    const permissions = { ...FULL_ACCESS, ask: ["post"], deny: ["post"] };
    await run(new ScriptedModel({ text: "after" }), { permissions, tools: own, steps: [...steps, answer] });
    expect(done).toEqual([]);
  });

  it("is answered by the job's policy, where that has an answer", async () => {
    for (const [decision, runs] of [
      ["allow", 1],
      ["deny", 0],
    ] as const) {
      const { done, tools: own } = tools();
      const policy = [{ tool: "post", input: { text: ["fir*"] }, decision }];
      const model = new ScriptedModel(ANSWERS[0] ?? {}, { text: "ok" });
      const { steps } = await run(model, { ...ask, tools: own, policy });
      expect(done).toHaveLength(runs);
      expect(steps).toContainEqual(expect.objectContaining({ kind: "approval_answer", decision, by: "policy" }));
    }
  });
});
