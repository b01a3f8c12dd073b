// The proof after the kills has to find what it is there to find: each fault is put into evidence that is in order.
import { TaskState } from "@a2a-js/sdk";
import { describe, expect, test } from "vitest";

import type { Step } from "#shared/loop/log/step.ts";
import type { Query } from "../../e2e/crash/client.ts";
import type { LoggedTask } from "../../e2e/crash/logs.ts";
import { faultsIn, type Evidence } from "../../e2e/crash/proof.ts";
import { seeded } from "../../e2e/crash/random.ts";
import type { Run } from "../../e2e/crash/recorder.ts";
import { BOUNDARY_NAMES, schedule } from "../../e2e/crash/schedule.ts";

const ANSWER = {
  usage: { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 },
  model: "offline",
};
const APPROVAL = { id: "ap_1", agent: "checker", tool: "check", input: {}, reason: "asked", expiresAt: 1 };
const STEPS: readonly Step[] = [
  { kind: "user", text: "hi" },
  {
    kind: "assistant",
    content: [
      { type: "tool_use", id: "t1", name: "check", input: {}, caller: { type: "direct" } },
      { type: "tool_use", id: "t2", name: "read", input: {}, caller: { type: "direct" } },
    ],
    stopReason: "tool_use",
    malformedInputs: {},
    ...ANSWER,
  },
  { kind: "approval", toolUseId: "t1", approval: APPROVAL, askedAt: 0, spanId: "s" },
  { kind: "tool_result", toolUseId: "t2", content: "text", isError: false },
  { kind: "approval_answer", id: "ap_1", decision: "allow", by: "client" },
  { kind: "tool_start", toolUseId: "t1" },
  { kind: "tool_result", toolUseId: "t1", content: "fine", isError: false },
  {
    kind: "assistant",
    content: [{ type: "text", text: "done", citations: null }],
    stopReason: "end_turn",
    malformedInputs: {},
    ...ANSWER,
  },
];
const TASK: LoggedTask = {
  id: "task",
  agent: "checker",
  contextId: "context",
  n: 1,
  state: TaskState.TASK_STATE_COMPLETED,
  messageId: "message",
  asker: { principal: "local", chain: [], query: "task" },
  lives: 1,
  answer: "done",
  problem: null,
  steps: STEPS,
};
const RUNS: readonly Run[] = ["t1", "t2"].map((toolUseId, index) => ({
  key: `key ${toolUseId}`,
  agent: "checker",
  tool: index === 0 ? "check" : "read",
  taskId: "task",
  toolUseId,
  input: {},
}));
const QUERY: Query = {
  text: "hi",
  manner: "yes",
  contextId: "context",
  messageId: "message",
  taskId: "task",
  end: {
    id: "task",
    contextId: "context",
    artifacts: [],
    history: [],
    status: { state: TaskState.TASK_STATE_COMPLETED, message: undefined, timestamp: undefined },
    metadata: undefined,
  },
  streamed: "done",
  answered: new Map([["ap_1", "allow"]]),
  forged: 0,
  forgedTaken: 0,
  breaks: 0,
};

interface Changes {
  readonly task?: Partial<LoggedTask>;
  readonly ids?: readonly number[];
  readonly runs?: readonly Run[];
  readonly query?: Partial<Query>;
  readonly more?: readonly LoggedTask[];
}

function evidence({ task, ids, runs = RUNS, query, more = [] }: Changes = {}): Evidence {
  const sessions = [{ agent: "checker", file: "file", ids: ids ?? STEPS.map((_, index) => index + 1) }];
  return {
    logs: { tasks: [{ ...TASK, ...task }, ...more], sessions },
    runs,
    queries: [{ ...QUERY, ...query }],
    once: new Set(["check"]),
    asked: "check",
    excused: undefined,
  };
}

const without = (kind: Step["kind"]) => STEPS.filter((step) => step.kind !== kind);
const changed = (kind: Step["kind"], change: object) =>
  STEPS.map((step) => (step.kind === kind ? { ...step, ...change } : step));
const doubled = (kind: Step["kind"]) => STEPS.flatMap((step) => (step.kind === kind ? [step, step] : [step]));

describe("the proof", () => {
  test("finds nothing where all is in order", () => {
    expect(faultsIn(evidence())).toEqual([]);
  });

  test.each<[what: string, changes: Changes, fault: RegExp]>([
    ["a task that has not ended", { task: { state: TaskState.TASK_STATE_WORKING } }, /has not ended/],
    [
      "a task that failed",
      { task: { state: TaskState.TASK_STATE_FAILED, problem: "x" } },
      /ended as TASK_STATE_FAILED: x/,
    ],
    ["a missing entry", { ids: [1, 2, 4] }, /entry 3 of the session is numbered 4/],
    ["a doubled answer", { task: { steps: [...STEPS, ...STEPS.slice(-1)] } }, /yet another one follows/],
    ["a call without a result", { task: { steps: without("tool_result") } }, /t1 of check has 0 results/],
    ["a call with two results", { task: { steps: doubled("tool_result") } }, /has 2 results/],
    ["a call that began twice", { task: { steps: doubled("tool_start") } }, /began twice/],
    [
      "a call that ran twice and may not",
      { runs: [...RUNS, ...RUNS.slice(0, 1)] },
      /may not run twice, and ran 2 times/,
    ],
    ["a repetition under another key", { runs: [...RUNS, { ...RUNS[1], key: "other" } as Run] }, /ran under two keys/],
    ["a result of what never ran", { runs: RUNS.slice(0, 1) }, /has a result, and never ran/],
    [
      "a run of what was not begun",
      { task: { steps: without("tool_start") } },
      /ran, and the log does not say that it began/,
    ],
    [
      "a run with another input than was approved",
      { runs: [{ ...RUNS[0], input: { amount: 9 } } as Run, ...RUNS.slice(1)] },
      /t1 of check ran with another input/,
    ],
    [
      "a run with another input than the model gave",
      { runs: [...RUNS.slice(0, 1), { ...RUNS[1], input: { amount: 9 } } as Run] },
      /t2 of read ran with another input/,
    ],
    ["a run of which no log knows", { runs: [...RUNS, { ...RUNS[0], taskId: "?" } as Run] }, /no log says so/],
    ["an approval that was lost", { task: { steps: without("approval") } }, /was asked about 0 times/],
    ["an answer that was lost", { task: { steps: without("approval_answer") } }, /was answered 0 times/],
    ["an answer that was forged", { query: { answered: new Map() } }, /the client said undefined/],
    [
      "an answer that was turned round",
      { task: { steps: changed("approval_answer", { decision: "deny" }) } },
      /ran although it was denied/,
    ],
    ["a forged answer that was taken", { query: { forgedTaken: 1 } }, /1 forged answers were taken/],
    [
      "an answer of which the client saw only a part",
      { query: { streamed: "do" } },
      /what was streamed is not the answer/,
    ],
    ["a message that opened two tasks", { more: [{ ...TASK, id: "second", n: 2 }] }, /opened more than one task/],
    ["an end that is not kept", { task: { state: TaskState.TASK_STATE_CANCELED } }, /the client was told/],
  ])("finds %s", (_, changes, fault) => {
    expect(faultsIn(evidence(changes)).join("\n")).toMatch(fault);
  });
});

test("a seed gives the same schedule each time, and another one another", () => {
  const of = (seed: number) => schedule("agent", 50, seeded(seed));
  expect(of(1)).toEqual(of(1));
  expect(of(2)).not.toEqual(of(1));
});

test.each(["job", "agent"] as const)("twenty kills come right after each kind of step (isolation: %s)", (isolation) => {
  const kills = schedule(isolation, 20, seeded(7));
  expect(new Set(kills.flatMap(({ when }) => ("after" in when ? when.after : [])))).toEqual(new Set(BOUNDARY_NAMES));
  expect(kills.filter(({ when }) => "ms" in when)).toHaveLength(20 - BOUNDARY_NAMES.length);
});
