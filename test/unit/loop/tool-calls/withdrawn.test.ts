// Several questions of one peer of which not all are answered: none of them stays open once nobody waits for it.
import { describe, expect, it } from "vitest";
import { denyOpen } from "#shared/loop/log/denials.ts";
import { pendingApprovals } from "#shared/loop/log/ledger.ts";
import { peerCall } from "#shared/loop/log/peer-question.ts";
import type { Peers } from "#shared/loop/tools/peers.ts";
import type { Step } from "#shared/loop/log/step.ts";
import { queryAgent } from "#shared/tools/query-agent.ts";
import { randomContext } from "#shared/tracing/trace-context.ts";
import { CollectingTracer } from "../../../support/collecting-tracer.ts";
import { NO_PEERS } from "../../../support/no-peers.ts";
import { runToRest, ScriptedModel } from "../scripted.ts";
import { answered } from "../steps.ts";

const approval = (id: string) => ({ id, agent: "deep", tool: "dig", input: {}, reason: "", expiresAt: 4e12 });
const input = { agent: "deep", message: "dig" };
const ids = { toolUseId: "q", agent: "deep" };
const thread = { thread: 1, contextId: "context~tester.1" };
/** One of the two questions of the peer is answered. */
const PARTLY: readonly Step[] = [
  { kind: "user", text: "hi" },
  answered([{ type: "tool_use", id: "q", name: "query_agent", input, caller: { type: "direct" } }]),
  { kind: "peer_call", ...ids, ...thread, messageId: "m", message: "dig", spanId: "s", at: 1 },
  { kind: "peer_task", ...ids, ...thread, taskId: "t" },
  {
    kind: "peer_input",
    ...ids,
    taskId: "t",
    approvals: [approval("a1"), approval("a2")],
    askedAt: 1,
    spanIds: ["0000000000000001", "0000000000000002"],
  },
  { kind: "approval_answer", id: "a1", decision: "allow", by: "client" },
];

function going(ask: Peers["ask"], signal = new AbortController().signal) {
  const tracer = new CollectingTracer();
  const parent = randomContext();
  const peers: Peers = { ...NO_PEERS, ask };
  const more = {
    steps: PARTLY,
    life: 2,
    signal,
    tools: [queryAgent([{ id: "deep", description: "", skills: [] }])],
    trace: { tracer, parent, task: parent, agent: "tester", contextId: "context" },
    call: { agent: "tester", config: {}, env: {}, contextId: "context", taskId: "task", peers },
  };
  const ends = () =>
    tracer.spans
      .filter(({ name, ended }) => ended && name.startsWith("approval"))
      .map(({ spanId, attributes }) => [spanId, attributes["troupe.approval.decided_by"]]);
  return { ends, more };
}
const answersIn = (steps: readonly Step[]) =>
  steps.flatMap((step) => (step.kind === "approval_answer" ? [[step.id, step.decision, step.by]] : []));

describe("a question of a peer that waits beside one that was answered", () => {
  it("is answered with no when the task is given up between two lives", () => {
    const steps = denyOpen(PARTLY, { by: "cancel", reason: "The task was canceled." });
    expect(answersIn(steps)).toEqual([["a2", "deny", "cancel"]]);
    expect(pendingApprovals([...PARTLY, ...steps])).toEqual([]);
  });

  it("is answered with no when the turn ends, and its span ends", async () => {
    const { ends, more } = going(
      () => Promise.reject(new Error("not asked")),
      AbortSignal.abort(new Error("canceled")),
    );
    const { steps } = await runToRest(new ScriptedModel(), more);
    expect(answersIn(steps)).toEqual([
      ["a1", "allow", "client"],
      ["a2", "deny", "cancel"],
    ]);
    expect(ends()).toEqual([["0000000000000002", "cancel"]]);
  });

  it("is void once the peer has failed or answered without it, and its span ends", async () => {
    for (const ask of [() => Promise.reject(new Error("It failed.")), async () => ({ text: "dug", thread: 1 })]) {
      const { ends, more } = going(ask);
      const { steps } = await runToRest(new ScriptedModel({ text: "ok" }), more);
      const at = steps.findIndex(({ kind }) => kind === "tool_result");
      expect(steps[at - 1]).toEqual({ kind: "approval_answer", id: "a2", decision: "void", by: "peer" });
      expect(ends()).toEqual([["0000000000000002", "peer"]]);
    }
  });

  it("is not told to the peer that it is void for", () => {
    const none: Step = { kind: "approval_answer", id: "a2", decision: "void", by: "peer" };
    expect(peerCall([...PARTLY, none], "q", 1).answers.map(({ id }) => id)).toEqual(["a1"]);
  });
});

it("calls that wait or have begun are not said to be not run when the budget of tool calls is spent, but closed", async () => {
  const { ends, more } = going(() => Promise.reject(new Error("not asked")));
  const left: string[] = [];
  const call = { ...more.call, peers: { ...more.call.peers, leave: (id: string) => void left.push(id) } };
  const budget = { maxTurns: 10, maxWallMs: 10_000, maxToolCalls: 0 };
  const { result, steps } = await runToRest(new ScriptedModel(), { ...more, call, budget });
  expect(result.subtype).toBe("error_max_tool_calls");
  expect(steps.some(({ kind }) => kind === "tool_result")).toBe(false);
  expect([left, ends()]).toEqual([["q"], [["0000000000000002", "failure"]]]);
});
