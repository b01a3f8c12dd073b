// How a question ends that waits for an approval: answered, or because its turn ends. Its span ends with it, and the log says who it was.
import { describe, expect, it } from "vitest";
import * as z from "zod";
import type { Peers } from "#shared/loop/tools/peers.ts";
import type { Step } from "#shared/loop/log/step.ts";
import { defineTool } from "#shared/loop/tools/tool.ts";
import { queryAgent } from "#shared/tools/query-agent.ts";
import { randomContext } from "#shared/tracing/trace-context.ts";
import { CollectingTracer } from "../../../support/collecting-tracer.ts";
import { NO_PEERS } from "../../../support/no-peers.ts";
import { ECHO, FULL_ACCESS, run, runToRest, ScriptedModel } from "../scripted.ts";

const call = (id: string, name: string, input: object) => ({ id, name, json: JSON.stringify(input) });
const ASK = { ...FULL_ACCESS, ask: ["pay", "query_agent"] };
const pay = defineTool({
  name: "pay",
  description: "Pays",
  input: z.object({}),
  annotations: { readOnly: false, idempotent: false },
  run: () => "paid",
});

function traced() {
  const tracer = new CollectingTracer();
  const parent = randomContext();
  const ofApproval = () => tracer.spans.filter(({ name }) => name.startsWith("approval"));
  return { ofApproval, trace: { tracer, parent, task: parent, agent: "tester", contextId: "context" } };
}

const answersIn = (steps: readonly Step[]) => steps.filter((step) => step.kind === "approval_answer");

describe("a turn that ends while a question is open", () => {
  const both = { calls: [call("p", "pay", {}), call("t1", "echo", { text: "x" })] };
  const stopping = async () => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    return { continue: false, stopReason: "Enough." };
  };

  it("because it fails ends the question's span, and the log says that the failure answered it", async () => {
    const { ofApproval, trace } = traced();
    const hooks = { PreToolUse: [{ matcher: "echo", hooks: [stopping] }] };
    const more = { tools: [ECHO, pay], permissions: ASK, hooks, trace };
    const { result, steps } = await run(new ScriptedModel(both), more);
    expect(result).toMatchObject({ message: "Enough.", denials: [{ tool_name: "pay" }, { tool_name: "echo" }] });
    expect(answersIn(steps)).toMatchObject([{ decision: "deny", by: "failure", reason: "Enough." }]);
    const [asked, ended, ...others] = ofApproval();
    expect(ended).toMatchObject({ spanId: asked?.spanId, ended: true });
    expect(ended?.attributes).toMatchObject({
      "troupe.approval.decision": "deny",
      "troupe.approval.decided_by": "failure",
    });
    expect(others).toEqual([]);
  });

  it("because it is canceled says so", async () => {
    const cancel = new AbortController();
    const waiting = { ...ECHO, run: () => new Promise<string>(() => undefined) };
    const running = run(new ScriptedModel(both), { tools: [waiting, pay], permissions: ASK, signal: cancel.signal });
    setTimeout(() => cancel.abort(new Error("The task was canceled.")), 20);
    const { steps } = await running;
    expect(answersIn(steps)).toMatchObject([{ decision: "deny", by: "cancel" }]);
    const content = expect.stringContaining("waited for an approval that did not come. The task was canceled.");
    expect(steps).toContainEqual(expect.objectContaining({ toolUseId: "p", denied: true, content }));
  });

  it("after it was allowed, but before its call began, does not count it as denied", async () => {
    const { steps: asked, result } = await runToRest(new ScriptedModel({ calls: [call("p", "pay", {})] }), {
      tools: [pay],
      permissions: ASK,
    });
    if (result.subtype !== "suspended") throw new Error("It did not wait.");
    const id = result.approvals[0]?.id ?? "";
    const canceled = AbortSignal.abort(new Error("The task was canceled."));
    const ended = await run(new ScriptedModel(), {
      tools: [pay],
      permissions: ASK,
      steps: [...asked, { kind: "approval_answer", id, decision: "allow", by: "client" }],
      signal: canceled,
    });
    expect(ended.result).toMatchObject({ subtype: "canceled", denials: [] });
    expect(ended.steps.at(-1)).toMatchObject({ kind: "tool_result", content: expect.stringContaining("not run") });
  });
});

it.each(["allow", "deny"] as const)("a span that the job's policy ends as %s says so", async (decision) => {
  const { ofApproval, trace } = traced();
  const more = { tools: [pay], permissions: ASK, policy: [{ tool: "pay", decision }], trace };
  await run(new ScriptedModel({ calls: [call("p", "pay", {})] }, { text: "ok" }), more);
  expect(ofApproval()).toMatchObject([
    { ended: true, attributes: { "troupe.approval.decision": decision, "troupe.approval.decided_by": "policy" } },
  ]);
});

it("an approval that is void because something else would run is said to be by its binding, in the log and the span", async () => {
  const { ofApproval, trace } = traced();
  const first = await runToRest(new ScriptedModel({ calls: [call("p", "pay", {})] }), {
    tools: [pay],
    permissions: ASK,
  });
  const steps = first.steps.map((step) =>
    step.kind === "approval" ? { ...step, approval: { ...step.approval, input: { amount: 6 } } } : step,
  );
  const id = first.result.subtype === "suspended" ? (first.result.approvals[0]?.id ?? "") : "";
  const answer: Step = { kind: "approval_answer", id, decision: "allow", by: "client" };
  const more = { tools: [pay], permissions: ASK, trace, steps: [...steps, answer] };
  const { steps: after } = await run(new ScriptedModel({ text: "ok" }), more);
  expect(answersIn(after)).toMatchObject([{ by: "client" }, { decision: "void", by: "binding" }]);
  // Its span has ended with the yes.
  expect(ofApproval()).toEqual([]);
  const again = await run(new ScriptedModel({ text: "ok" }), {
    ...more,
    steps: after.slice(
      0,
      after.findIndex(({ kind }) => kind === "tool_result"),
    ),
    life: 2,
  });
  expect(answersIn(again.steps)).toHaveLength(2);
});

describe("a turn that is canceled tells the agents", () => {
  const approval = { id: "ap_1", agent: "deep", tool: "dig", input: {}, reason: "", expiresAt: 4e12 };
  const ids = { toolUseId: "q", agent: "deep", contextId: "context~tester.1" };
  const asked: Step[] = [
    { kind: "peer_call", ...ids, thread: 1, messageId: "m", message: "dig", spanId: "s", at: 1 },
    { kind: "peer_task", ...ids, thread: 1, taskId: "t" },
    { kind: "peer_input", ...ids, taskId: "t", approvals: [approval], askedAt: 1, spanIds: ["s"] },
  ];

  it.each([
    ["that wait for an answer", asked],
    [
      "whose answer has come and was not delivered",
      [...asked, { kind: "approval_answer", id: "ap_1", decision: "allow", by: "client" }],
    ],
  ] as const)("%s", async (_, since) => {
    const left: string[] = [];
    const peers: Peers = { ...NO_PEERS, leave: (id) => void left.push(id) };
    const tools = [queryAgent([{ id: "deep", description: "", skills: [] }])];
    const question = call("q", "query_agent", { agent: "deep", message: "dig" });
    const { steps } = await runToRest(new ScriptedModel({ calls: [question] }), { tools, permissions: ASK });
    const signal = AbortSignal.abort(new Error("canceled"));
    const about = { agent: "tester", config: {}, env: {}, contextId: "context", taskId: "task", peers };
    const more = { steps: [...steps.slice(0, 2), ...since], tools, signal, call: about };
    const { result } = await run(new ScriptedModel(), more);
    expect(result.subtype).toBe("canceled");
    expect(left).toEqual(["q"]);
  });
});
