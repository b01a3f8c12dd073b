// What those who watch a task are told: the snapshot, then everything that follows, until it ends or waits for answers.
import { TaskState, type StreamResponse } from "@a2a-js/sdk";
import { expect, it } from "vitest";
import { LiveTask } from "#shared/agent/session/tasks/live-task.ts";
import { FIRST_LIFE, type TaskRow } from "#shared/agent/session/tasks/task-row.ts";

const NOTHING_KEPT = { history: () => [], artifacts: () => [] };

const ROW: TaskRow = {
  contextId: "c",
  n: 1,
  state: TaskState.TASK_STATE_WORKING,
  createdAt: 0,
  updatedAt: 0,
  traceId: "t",
  trace: null,
  messageId: "m",
  asker: null,
  life: FIRST_LIFE,
  wakeAt: null,
  answer: null,
  problem: null,
  usage: null,
  result: null,
};
const APPROVAL = { id: "ap_1", agent: "a", tool: "pay", input: { to: "x" }, reason: "It pays.", expiresAt: 1 };

async function all(events: AsyncGenerator<StreamResponse, void, undefined>): Promise<StreamResponse["payload"][]> {
  const seen: StreamResponse["payload"][] = [];
  for await (const { payload } of events) seen.push(payload);
  return seen;
}

const kinds = (seen: readonly StreamResponse["payload"][]) =>
  seen.map((payload) => (payload?.$case === "artifactUpdate" ? `append ${payload.value.append}` : payload?.$case));

it("a model call that is made again restarts the artifact, and only the last event, with the whole answer, says lastChunk", async () => {
  const live = new LiveTask("id", ROW, "question", NOTHING_KEPT);
  const watching = all(live.watch({ toRest: true }));
  live.restartAnswer();
  live.appendAnswer("half an");
  live.appendAnswer(" answer");
  live.restartAnswer();
  live.appendAnswer("whole");
  live.appendAnswer(" answer");
  live.finish({ ...ROW, state: TaskState.TASK_STATE_COMPLETED, answer: "whole answer" });
  const seen = await watching;
  expect(kinds(seen)).toEqual([
    "task",
    "append false",
    "append true",
    "append false",
    "append true",
    "append false",
    "statusUpdate",
  ]);
  const artifacts = seen.flatMap((payload) => (payload?.$case === "artifactUpdate" ? [payload.value] : []));
  expect(artifacts.map(({ lastChunk }) => lastChunk)).toEqual([false, false, false, false, true]);
  expect(artifacts.at(-1)).toMatchObject({ artifact: { parts: [{ content: { value: "whole answer" } }] } });
});

it("an answer in a shape comes as one data part, whoever watched and whoever comes later", async () => {
  const live = new LiveTask("id", ROW, "question", NOTHING_KEPT);
  const watching = all(live.watch({ toRest: true }));
  const result = { subtype: "success", num_turns: 1, permission_denials: [], structured_output: { city: "Bern" } };
  const answer = '{"city":"Bern"}';
  live.finish({ ...ROW, state: TaskState.TASK_STATE_COMPLETED, answer, result });
  const update = (await watching).find((payload) => payload?.$case === "artifactUpdate");
  expect(update?.value).toMatchObject({
    artifact: { parts: [{ content: { $case: "data", value: { city: "Bern" } } }] },
  });
  const [snapshot] = await all(live.watch({ toRest: false }));
  expect(snapshot?.value).toMatchObject({
    artifacts: [{ parts: [{ content: { $case: "data", value: { city: "Bern" } } }] }],
  });
});

it("who sent the message is let go when the task waits, who subscribed goes on watching", async () => {
  const live = new LiveTask("id", ROW, "question", NOTHING_KEPT);
  const sender = all(live.watch({ toRest: true }));
  const subscriber = all(live.watch({ toRest: false }));
  live.suspend({ ...ROW, state: TaskState.TASK_STATE_INPUT_REQUIRED }, [APPROVAL]);
  const seen = await sender;
  expect(kinds(seen)).toEqual(["task", "statusUpdate"]);
  expect(JSON.stringify(seen.at(-1))).toContain("ap_1");
  live.resume();
  live.finish({ ...ROW, state: TaskState.TASK_STATE_COMPLETED, answer: "done" });
  expect(kinds(await subscriber)).toEqual(["task", "statusUpdate", "append false", "statusUpdate"]);
});

it.each([TaskState.TASK_STATE_FAILED, TaskState.TASK_STATE_CANCELED])(
  "what was streamed of an answer that never came is taken back before the end (state %i)",
  async (state) => {
    const live = new LiveTask("id", ROW, "question", NOTHING_KEPT);
    const watching = all(live.watch({ toRest: true }));
    live.appendAnswer("half an");
    live.finish({ ...ROW, state, problem: "It broke." });
    const seen = await watching;
    expect(kinds(seen)).toEqual(["task", "append false", "append false", "statusUpdate"]);
    expect(seen[2]?.value).toMatchObject({ artifact: { parts: [{ content: { value: "" } }] } });
    const [snapshot] = await all(live.watch({ toRest: false }));
    expect(snapshot?.value).toMatchObject({ artifacts: [] });
  },
);

it("a task that fails without having said anything sends no artifact", async () => {
  const live = new LiveTask("id", ROW, "question", NOTHING_KEPT);
  const watching = all(live.watch({ toRest: true }));
  live.finish({ ...ROW, state: TaskState.TASK_STATE_FAILED, problem: "It broke." });
  expect(kinds(await watching)).toEqual(["task", "statusUpdate"]);
});
