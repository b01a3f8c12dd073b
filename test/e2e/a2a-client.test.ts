// The SDK's own client, unmodified, against every agent of a deployed job and over both bindings of A2A 1.0.
import { type Task, TaskState } from "@a2a-js/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Binding, connect, saying, send, taskParams, tasksOf, textOf } from "../support/a2a-client.ts";
import { Deployment } from "../support/deployment.ts";
import { fourAgents, HUB_SPOKE, Status } from "./shapes.ts";

const AGENTS = ["coordinator", "searcher", "summarizer", "fact_checker"];
const BINDINGS: readonly Binding[] = ["JSONRPC", "HTTP+JSON"];
/** One job answers as fast as it can, the other is still at work whenever it is looked at. */
const JOBS = { quick: "", slow: "model: { provider: offline, offline: { ttft: 60s } }" };

let deployment: Deployment;
const urls = new Map<string, string>();
beforeAll(async () => {
  deployment = await Deployment.create();
  for (const [job, model] of Object.entries(JOBS)) {
    const file = await deployment.write(`${job}.yaml`, fourAgents(job, `${HUB_SPOKE}\n${model}`));
    await deployment.succeed("deploy", file);
    const { agents } = Status.parse(await deployment.json("status", job));
    for (const { id, url } of agents) urls.set(`${job} ${id}`, url);
  }
});
afterAll(async () => deployment.close());

async function client(job: keyof typeof JOBS, agent: string, binding: Binding) {
  return connect(urls.get(`${job} ${agent}`) ?? "", binding);
}

function stateOf(task: Task | undefined): TaskState | undefined {
  return task?.status?.state;
}

describe.each(AGENTS)("the SDK's client talks to %s", (agent) => {
  test.each(BINDINGS)("over %s: a message sent is answered, and its task can be got and is listed", async (binding) => {
    const quick = await client("quick", agent, binding);
    expect(quick.transport.protocolName).toBe(binding);
    const task = await send(quick, saying("What is workerd?"));
    expect(stateOf(task)).toBe(TaskState.TASK_STATE_COMPLETED);
    expect(textOf(task)).not.toBe("");

    const got = await quick.getTask({ tenant: "", id: task.id });
    expect(got).toEqual(task);
    expect((await tasksOf(quick)).map(({ id }) => id)).toContain(task.id);
  });

  test.each(BINDINGS)("over %s: a stream begins with the task and ends with its completion", async (binding) => {
    const quick = await client("quick", agent, binding);
    const events = [];
    for await (const { payload } of quick.sendMessageStream(saying("What is workerd?"))) {
      if (payload !== undefined) events.push(payload);
    }
    expect(events[0]?.$case).toBe("task");
    expect(events.map(({ $case }) => $case)).toContain("artifactUpdate");
    const last = events.at(-1);
    expect(last?.$case === "statusUpdate" && last.value.status?.state).toBe(TaskState.TASK_STATE_COMPLETED);
  });

  test.each(BINDINGS)("over %s: a running task can be subscribed to again and canceled at once", async (binding) => {
    const slow = await client("slow", agent, binding);
    const task = await send(slow, saying("What is workerd?", true));
    expect(stateOf(task)).toBe(TaskState.TASK_STATE_WORKING);

    const states: (TaskState | undefined)[] = [];
    let tookMs = Infinity;
    for await (const { payload } of slow.resubscribeTask({ tenant: "", id: task.id })) {
      if (payload?.$case === "statusUpdate") states.push(payload.value.status?.state);
      if (payload?.$case !== "task") continue;
      expect(payload.value.id).toBe(task.id);
      const begun = Date.now();
      expect(stateOf(await slow.cancelTask(taskParams(task.id)))).toBe(TaskState.TASK_STATE_CANCELED);
      tookMs = Date.now() - begun;
    }
    expect(states).toEqual([TaskState.TASK_STATE_CANCELED]);
    expect(tookMs).toBeLessThan(5_000);
    expect(stateOf(await slow.getTask({ tenant: "", id: task.id }))).toBe(TaskState.TASK_STATE_CANCELED);
  });
});
