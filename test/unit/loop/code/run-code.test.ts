// Turns of agents of plain code: their calls are those of the loop, and a run that resumes gets what it got before.
import { describe, expect, it } from "vitest";
import * as z from "zod";
import type { CodeCalls, CodeOutcome, CodeRun } from "#shared/loop/code/code-run.ts";
import type { Step } from "#shared/loop/log/step.ts";
import { defineTool } from "#shared/loop/tools/tool.ts";
import { ECHO, FULL_ACCESS, type More, runToRest, ScriptedModel } from "../scripted.ts";

const done: string[] = [];
const POST = defineTool({
  name: "post",
  description: "Posts: not to be done twice",
  input: z.object({ text: z.string() }),
  annotations: { readOnly: false, idempotent: false },
  run: ({ text }) => {
    done.push(text);
    return `Posted ${text}.`;
  },
});

const answer = (text: string): CodeOutcome => ({ is: "answer", text });

async function runOf(code: CodeRun, more: More = {}) {
  done.length = 0;
  return runToRest(new ScriptedModel(), { code, tools: [ECHO, POST], ...more });
}

/** Two echoes side by side, then a post. */
const three = async ({ call }: CodeCalls) => {
  const [one, two] = await Promise.all([call("echo", { text: "one" }), call("echo", { text: "two" })]);
  return answer(`${one} ${two} ${await call("post", { text: "three" })}`);
};

const posts: CodeRun = async ({ call }) => answer(await call("post", { text: "it" }));

describe("an agent of plain code", () => {
  it("answers without a model", async () => {
    const { result, steps } = await runOf(async () => answer("hello"));
    expect(result).toMatchObject({ subtype: "success", text: "hello", turns: 0 });
    expect(steps).toHaveLength(1);
  });

  it("makes calls side by side where it does not await them", async () => {
    const { result, steps } = await runOf(three);
    expect(result).toMatchObject({ subtype: "success", text: "one two Posted three." });
    const messages = steps.filter((step) => step.kind === "assistant");
    expect(messages.map(({ content }) => content.length)).toEqual([2, 1]);
  });

  it("resumes at any step, with the results from before, and does nothing twice", async () => {
    const whole = await runOf(three);
    for (const [index, last] of whole.steps.entries()) {
      const { result, steps } = await runOf(three, {
        steps: whole.steps.slice(0, index + 1),
        life: 2,
      });
      const wasCut = last.kind === "tool_start";
      expect(done, `after ${index}`).toEqual(
        steps.slice(index + 1).some(({ kind }) => kind === "tool_start") ? ["three"] : [],
      );
      expect(result.subtype, `after ${index}`).toBe(wasCut ? "error_during_execution" : "success");
    }
  });

  it("fails when a run that resumes asks for something else", async () => {
    const { steps } = await runOf(async ({ call }) => answer(await call("echo", { text: "before" })));
    const { result } = await runOf(async ({ call }) => answer(await call("echo", { text: "after" })), {
      steps,
      life: 2,
    });
    expect(result).toMatchObject({
      subtype: "error_during_execution",
      message: expect.stringContaining("the same calls in the same order"),
    });
  });

  it("may change the input of a call after it, and give what JSON writes in its own way", async () => {
    const input = { text: "then" };
    const both: CodeRun = async ({ call }) => {
      const waits = call("echo", input);
      input.text = "later";
      return answer(await waits);
    };
    expect((await runOf(both)).result).toMatchObject({ subtype: "success", text: "then" });
    const { result } = await runOf(async ({ call }) => answer(await call("echo", { text: "x", n: Number.NaN })));
    expect(result).toMatchObject({ subtype: "error_during_execution", message: expect.stringContaining("no JSON") });
  });

  it("hears why a tool failed or was denied, and may go on", async () => {
    const { result } = await runOf(async ({ call }) =>
      answer(await call("post", { text: 1 }).catch((error: unknown) => String(error))),
    );
    expect(result).toMatchObject({ subtype: "success", text: expect.stringContaining("does not fit its schema") });
    const permissions = { ...FULL_ACCESS, deny: ["post"] };
    const { result: denied } = await runOf(posts, { permissions });
    expect(denied).toMatchObject({
      subtype: "error_during_execution",
      message: expect.stringContaining("The agent failed"),
    });
    expect(done).toEqual([]);
  });

  it("waits for the approval of a call, and runs it once it is allowed", async () => {
    const permissions = { ...FULL_ACCESS, ask: ["post"] };
    const { result, steps } = await runOf(posts, { permissions });
    if (result.subtype !== "suspended") throw new Error("It did not wait.");
    const [approval] = result.approvals;
    const yes: Step = { kind: "approval_answer", id: approval?.id ?? "", decision: "allow", by: "client" };
    const after = await runOf(posts, { permissions, steps: [...steps, yes], life: 2 });
    expect(after.result).toMatchObject({ subtype: "success", text: "Posted it." });
    expect(done).toEqual(["it"]);
  });

  it("fails with what its code throws, and reports where", async () => {
    const reports: string[] = [];
    const { result } = await runOf(
      () => {
        throw new TypeError("a mistake");
      },
      { report: (failure) => void reports.push(failure) },
    );
    expect(result).toMatchObject({ subtype: "error_during_execution", message: "The agent failed: a mistake" });
    expect(reports.join()).toContain("run-code.test.ts");
  });

  it("may refuse the message", async () => {
    const { result } = await runOf(async () => ({ is: "rejected", reason: "not mine" }));
    expect(result).toMatchObject({ subtype: "rejected", message: "not mine" });
  });

  it("ends when its time is spent, whatever it does", async () => {
    const { result } = await runOf(() => new Promise(() => undefined), { budget: { maxTurns: 1, maxWallMs: 20 } });
    expect(result.subtype).toBe("error_max_wall_time");
  });

  it("ends at the limit of its tool calls", async () => {
    const many: CodeRun = async ({ call }) => {
      for (let n = 0; n < 5; n++) await call("echo", { text: String(n) });
      return answer("all");
    };
    const { result } = await runOf(many, { budget: { maxTurns: 1, maxWallMs: 10_000, maxToolCalls: 3 } });
    expect(result.subtype).toBe("error_max_tool_calls");
  });
});

describe("a question of the code", () => {
  const asks: CodeRun = async ({ ask, call }) => {
    const first = await call("echo", { text: "before" });
    const reply = await ask({ parts: [{ text: "Which?" }] });
    return answer(`${first} ${JSON.stringify(reply["parts"])}`);
  };

  it("suspends the turn, and gets the answer when it resumes", async () => {
    const { result, steps } = await runOf(asks);
    if (result.subtype !== "suspended") throw new Error("It did not wait.");
    expect(result.question?.message).toEqual({ parts: [{ text: "Which?" }] });
    const again = await runOf(asks, { steps, life: 2 });
    expect(again.result).toMatchObject({
      subtype: "suspended",
      question: { message: { parts: [{ text: "Which?" }] } },
    });
    const said: Step = { kind: "said", messages: [{ parts: [{ text: "Which?" }] }, { parts: [{ text: "That." }] }] };
    const answered = await runOf(asks, { steps: [...steps, said, { kind: "question_answer" }], life: 2 });
    expect(answered.result).toMatchObject({ subtype: "success", text: 'before [{"text":"That."}]' });
  });

  it("is rejected when nobody answers in time", async () => {
    const { steps } = await runOf(asks);
    const { result } = await runOf(asks, { steps: [...steps, { kind: "question_answer", expired: true }], life: 2 });
    expect(result).toMatchObject({
      subtype: "error_during_execution",
      message: "The agent failed: Nobody answered in time.",
    });
  });
});
