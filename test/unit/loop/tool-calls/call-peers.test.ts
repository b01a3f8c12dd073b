// Tools of an agent's own that ask other agents: which may, how often, and what becomes of the call when an agent asks back.
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { InputRequired, type Peers, type Question } from "#shared/loop/tools/peers.ts";
import { ledger, pendingApprovals } from "#shared/loop/log/ledger.ts";
import { peerCall } from "#shared/loop/log/peer-question.ts";
import type { Step } from "#shared/loop/log/step.ts";
import { TurnStopped } from "#shared/loop/log/stopped.ts";
import { defineTool, type ToolCall } from "#shared/loop/tools/tool.ts";
import { FULL_ACCESS, run, runToRest, ScriptedModel } from "../scripted.ts";

const APPROVAL = { id: "ap_1", agent: "deep", tool: "dig", input: {}, reason: "", expiresAt: 4e12 };
const OTHER = { ...APPROVAL, id: "ap_2", tool: "fill" };
const CALL = { calls: [{ id: "b", name: "buy", json: '{"item":"car"}' }] };
const IDEMPOTENT = { readOnly: false, idempotent: true };

/** A tool that does what `body` does, and remembers the inputs with which it was run. */
function buying(body: (peers: ToolCall["peers"]) => Promise<string>, annotations = IDEMPOTENT) {
  const inputs: unknown[] = [];
  const input = z.object({ item: z.string(), agent: z.string().optional(), message: z.string().optional() });
  const run = async (given: z.output<typeof input>, { peers }: ToolCall) => {
    inputs.push(given);
    return body(peers);
  };
  return { inputs, tool: defineTool({ name: "buy", description: "Buys", input, annotations, run }) };
}

/** Agents that answer as `answer` says; `asked` is what they were asked. */
function agents(answer: (question: Question) => Promise<string> = async ({ message }) => `answer to ${message}`) {
  const asked: Question[] = [];
  const left: string[] = [];
  const peers: Peers = {
    find: async () => [],
    leave: (id) => void left.push(id),
    ask: async (question) => {
      asked.push(question);
      return { text: await answer(question), thread: asked.length };
    },
  };
  const call = { agent: "tester", config: {}, env: {}, contextId: "context", taskId: "task", peers };
  return { asked, left, call };
}

const ask = async (peers: ToolCall["peers"], message: string) => (await peers.ask({ agent: "deep", message })).text;
const resultOf = (steps: readonly Step[]) => steps.find((step) => step.kind === "tool_result");

describe("a tool that asks other agents", () => {
  it("has to be one that may be run again: of another nothing is sent, and the model is told why", async () => {
    const { asked, call } = agents();
    const { tool } = buying((peers) => ask(peers, "may I?"), { readOnly: false, idempotent: false });
    const { steps } = await run(new ScriptedModel(CALL, { text: "ok" }), { tools: [tool], call });
    expect(asked).toEqual([]);
    expect(resultOf(steps)).toMatchObject({
      isError: true,
      content: expect.stringMatching(/^buy cannot ask other agents/),
    });
  });

  it("may ask one question after another, each known by its place in the call", async () => {
    const { asked, call } = agents();
    const { tool } = buying(async (peers) => `${await ask(peers, "first")}, ${await ask(peers, "second")}`);
    const { steps } = await run(new ScriptedModel(CALL, { text: "ok" }), { tools: [tool], call });
    expect(resultOf(steps)).toMatchObject({ isError: false, content: "answer to first, answer to second" });
    expect(asked).toMatchObject([
      { toolUseId: "b", ordinal: 1, idempotencyKey: "key of b" },
      { toolUseId: "b", ordinal: 2, idempotencyKey: "key of b" },
    ]);
  });

  it("may not ask two at once: the second is refused, and what is still asked is given up with the call", async () => {
    const given = Promise.withResolvers<unknown>();
    const { asked, call } = agents(
      ({ signal }) => new Promise(() => signal.addEventListener("abort", () => given.resolve(signal.reason))),
    );
    const { tool } = buying(async (peers) => (await Promise.all([ask(peers, "first"), ask(peers, "second")])).join());
    const { steps } = await run(new ScriptedModel(CALL, { text: "ok" }), { tools: [tool], call });
    expect(asked).toHaveLength(1);
    expect(resultOf(steps)).toMatchObject({ isError: true, content: expect.stringContaining("one after another") });
    expect(await given.promise).toBeInstanceOf(Error);
  });

  it("waits when an agent asks back, even where the tool catches that and goes on", async () => {
    const { asked, call } = agents(async () => {
      throw new InputRequired([APPROVAL]);
    });
    const { tool } = buying(async (peers) => {
      await ask(peers, "first").catch(() => undefined);
      return ask(peers, "second").catch(() => "bought without asking");
    });
    const { result, steps } = await runToRest(new ScriptedModel(CALL), { tools: [tool], call });
    expect(result).toEqual({ subtype: "suspended", approvals: [APPROVAL] });
    expect([asked.length, resultOf(steps)]).toEqual([1, undefined]);
  });

  it("waits however long the hooks take that are told of the question: its own time is over by then", async () => {
    const { call } = agents(async () => {
      throw new InputRequired([APPROVAL, OTHER], [APPROVAL]);
    });
    const { tool } = buying((peers) => ask(peers, "first"));
    const told: unknown[] = [];
    const slow = async (input: { readonly message?: string }) => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      told.push(input.message);
      return {};
    };
    const hooks = { Notification: [{ hooks: [slow] }] };
    const more = { tools: [{ ...tool, limitMs: 20 }], call, hooks };
    const { result, steps } = await runToRest(new ScriptedModel(CALL), more);
    expect(result).toEqual({ subtype: "suspended", approvals: [APPROVAL, OTHER] });
    expect([told, resultOf(steps)]).toEqual([["deep asks whether it may use dig."], undefined]);
  });

  it("has its result in the log when a hook ends the turn instead of the question, and the model is told that it was not done", async () => {
    const { call } = agents(async () => {
      throw new TurnStopped("Enough.");
    });
    const { tool } = buying((peers) => ask(peers, "first"));
    const { result, steps } = await run(new ScriptedModel(CALL), { tools: [tool], call });
    expect(result).toMatchObject({ subtype: "error_during_execution", message: "Enough." });
    expect(steps.slice(-2)).toMatchObject([
      { kind: "tool_result", isError: true, content: expect.stringContaining("not done") },
      { kind: "stopped", reason: "Enough." },
    ]);
  });

  it("keeps its answer when a hook ends the turn after the question", async () => {
    const { call } = agents();
    const stopping: Peers = { ...call.peers, ask: async () => ({ text: "answer", thread: 1, stop: "Enough." }) };
    const { tool } = buying((peers) => ask(peers, "first"));
    const more = { tools: [tool], call: { ...call, peers: stopping } };
    const { result, steps } = await run(new ScriptedModel(CALL), more);
    expect(result).toMatchObject({ message: "Enough." });
    expect(resultOf(steps)).toMatchObject({ isError: false, content: "answer" });
  });
});

describe("a call that is gone on with after an agent has asked back", () => {
  const ids = { toolUseId: "b", agent: "deep" };
  const answered = (call: Partial<Extract<Step, { kind: "peer_call" }>> = {}): Step[] => [
    {
      kind: "peer_call",
      ...ids,
      thread: 1,
      contextId: "context~tester.1",
      messageId: "m",
      message: "first\n\nand a hook's words",
      spanId: "s",
      at: 1,
      ...call,
    },
    { kind: "peer_input", ...ids, taskId: "t", approvals: [APPROVAL], askedAt: 1, spanIds: ["s"] },
    { kind: "approval_answer", id: APPROVAL.id, decision: "allow", by: "client" },
  ];
  const begun = async () => (await runToRest(new ScriptedModel(CALL, { text: "ok" }), ASKED)).steps.slice(0, 2);
  const ASKED = { permissions: { ...FULL_ACCESS, ask: ["buy"] }, tools: [buying(async () => "").tool] };

  it("is run with exactly the input that it had: what was asked is not mixed into it", async () => {
    const { call } = agents();
    const { tool, inputs } = buying((peers) => ask(peers, "first"));
    await run(new ScriptedModel({ text: "ok" }), { steps: [...(await begun()), ...answered()], tools: [tool], call });
    expect(inputs).toEqual([{ item: "car" }]);
  });

  it("is run with what a hook had made of its input", async () => {
    const { call } = agents();
    const { tool, inputs } = buying((peers) => ask(peers, "first"));
    const steps = [...(await begun()), ...answered({ input: { item: "bicycle" } })];
    await run(new ScriptedModel({ text: "ok" }), { steps, tools: [tool], call });
    expect(inputs).toEqual([{ item: "bicycle" }]);
  });

  it("tells whoever asks what a hook had made of its input, so that it can be logged", async () => {
    const { asked, call } = agents();
    const { tool } = buying((peers) => ask(peers, "first"));
    const updatedInput = { item: "bicycle" };
    const hook = () => ({ hookSpecificOutput: { hookEventName: "PreToolUse" as const, updatedInput } });
    const more = { tools: [tool], call };
    await run(new ScriptedModel(CALL, { text: "ok" }), { ...more, hooks: { PreToolUse: [{ hooks: [hook] }] } });
    await run(new ScriptedModel(CALL, { text: "ok" }), more);
    expect(asked.map(({ input }) => input)).toEqual([{ item: "bicycle" }, undefined]);
  });

  it("is not run again where its tool may not be, as older logs have it: it was cut off", async () => {
    const { tool, inputs } = buying(async () => "bought", { readOnly: false, idempotent: false });
    const steps: Step[] = [...(await begun()), { kind: "tool_start", toolUseId: "b" }, ...answered()];
    const { steps: after } = await run(new ScriptedModel({ text: "ok" }), { steps, tools: [tool] });
    expect(inputs).toEqual([]);
    expect(resultOf(after)).toMatchObject({ isError: true, content: expect.stringContaining("cut off") });
  });
});

describe("the log of a call that asked twice", () => {
  const at = {
    toolUseId: "b",
    agent: "deep",
    thread: 1,
    contextId: "c",
    messageId: "m",
    message: "",
    spanId: "s",
    at: 1,
  };
  const other = { ...APPROVAL, id: "ap_2" };
  const input = { toolUseId: "b", agent: "deep", askedAt: 1, spanIds: ["s"] };
  const log: Step[] = [
    { kind: "peer_call", ...at },
    { kind: "peer_task", ...at, taskId: "t1" },
    { kind: "peer_input", ...input, taskId: "t1", approvals: [APPROVAL] },
    { kind: "peer_call", ...at, ordinal: 2, messageId: "m.2" },
    { kind: "peer_task", ...at, ordinal: 2, taskId: "t2" },
    { kind: "peer_input", ...input, ordinal: 2, taskId: "t2", approvals: [other] },
  ];

  it("keeps its questions apart, and knows which were answered because another followed", () => {
    expect(peerCall(log, "b", 1)).toMatchObject({ call: { messageId: "m" }, task: { taskId: "t1" }, isPast: true });
    expect(peerCall(log, "b", 2)).toMatchObject({ call: { messageId: "m.2" }, task: { taskId: "t2" }, isPast: false });
    expect(peerCall(log, "b").task?.taskId).toBe("t2");
  });

  it("waits only for what the last of them asks back", () => {
    expect(pendingApprovals(log.slice(0, 3))).toEqual([APPROVAL]);
    expect(pendingApprovals(log.slice(0, 5))).toEqual([]);
    expect(pendingApprovals(log)).toEqual([other]);
  });

  it("is over with its result, whatever is written of it after that", () => {
    const result: Step = { kind: "tool_result", toolUseId: "b", content: "", isError: true };
    const [late] = log;
    expect(ledger([result, ...(late ? [late] : [])]).get("b")).toEqual({ is: "settled" });
  });
});

it("what is found for a call that is over is not noted: its task may have ended", async () => {
  const { call } = agents();
  const found = Promise.withResolvers<void>();
  const seen: AbortSignal[] = [];
  const find = async (_: string, signal: AbortSignal) => {
    seen.push(signal);
    found.resolve();
    return new Promise<never>(() => undefined);
  };
  const { tool } = buying(async (peers) => {
    void peers.find("cars");
    await found.promise;
    return "bought";
  });
  await run(new ScriptedModel(CALL, { text: "done" }), {
    tools: [tool],
    call: { ...call, peers: { ...call.peers, find } },
  });
  expect(seen.map(({ aborted }) => aborted)).toEqual([true]);
});
