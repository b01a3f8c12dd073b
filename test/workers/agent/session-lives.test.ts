// The Session: alarms, lines and lives.
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { TaskState, type Task } from "@a2a-js/sdk";
import { expect, it } from "vitest";
import { ask, client, logOf, problemOf, send } from "./client.ts";
import { begin, crash, session } from "./sessions.ts";
import { lastTask } from "./stored.ts";

const alarmOf = (name: string) => runInDurableObject(session(name), (_, { storage }) => storage.getAlarm());
const call = (tool: string, input: object) => `call ${tool} ${JSON.stringify(input)}`;

const get = async (id: string): Promise<Task> => (await client("JSONRPC")).getTask({ tenant: "", id });
const stateOf = async (id: string) => (await get(id)).status?.state;

it("a turn that goes on after an approval is watched by the alarm: killed, it is taken up within 1.5 s", async () => {
  const name = "watched";
  const a2a = await client("JSONRPC");
  const task = await send(a2a, ask(call("pay", { to: name, amount: 1 }), name));
  expect(task.status?.state).toBe(TaskState.TASK_STATE_INPUT_REQUIRED);
  // The alarm of the first part rings while it waits, and from then on is set for the approval's expiry.
  await runDurableObjectAlarm(session(name));
  expect(await alarmOf(name)).toBeGreaterThan(Date.now() + 60_000);
  const stream = a2a.sendMessageStream(ask("yes", "", { taskId: task.id }));
  await stream.next();
  await crash(name);
  // Nothing but the alarm can wake it: no request is made that takes the turn up.
  expect((await lastTask(name))?.state).toBe(TaskState.TASK_STATE_WORKING);
  expect(await alarmOf(name)).toBeLessThanOrEqual(Date.now() + 1_600);
});

it("a message that waits in line behind a poison turn is not given up with it: it never began", async () => {
  const name = "innocent";
  const poison = await begin(name, call("hang", {}));
  const innocent = await begin(name, "say served");
  await expect.poll(async () => (await logOf(name)).map(({ kind }) => kind)).toContain("assistant");
  for (let life = 0; life < 12; life++) {
    await crash(name);
    await runDurableObjectAlarm(session(name));
  }
  expect(await stateOf(poison)).toBe(TaskState.TASK_STATE_FAILED);
  await expect.poll(async () => stateOf(innocent)).toBe(TaskState.TASK_STATE_COMPLETED);
});

it("a message that was canceled while it waited in line does not deny the approval before it", async () => {
  const name = "canceled-in-line";
  const a2a = await client("JSONRPC");
  // Two calls of the model: the second asks for the approval, the first takes a while.
  const first = begin(name, `drip x x x x x x x x`);
  await first;
  const asking = await begin(name, call("pay", { to: name, amount: 1 }));
  const waiting = await begin(name, "say next");
  await a2a.cancelTask({ tenant: "", id: waiting, metadata: undefined });
  await expect.poll(async () => stateOf(asking)).not.toBe(TaskState.TASK_STATE_SUBMITTED);
  await expect.poll(async () => stateOf(asking)).not.toBe(TaskState.TASK_STATE_WORKING);
  expect(problemOf(await get(asking))).not.toMatch(/another message came/);
  expect(await stateOf(asking)).toBe(TaskState.TASK_STATE_INPUT_REQUIRED);
});

it("a canceled turn tells the peers that wait for an approval, too", async () => {
  const name = "orphan";
  const inputs = ["approve orphan", "forever"].map((message) => ({ agent: "other", message }));
  const id = await begin(name, `both ${JSON.stringify(inputs)}`);
  await expect.poll(async () => (await logOf(name)).map(({ kind }) => kind)).toContain("peer_input");
  await expect.poll(async () => (await logOf(name)).filter(({ kind }) => kind === "peer_task").length).toBe(2);
  await (await client("JSONRPC")).cancelTask({ tenant: "", id, metadata: undefined });
  const canceled = async () => (await env.PEER_OTHER.fetch("https://other/canceled")).json();
  await expect.poll(canceled).toContain(`${name}~tester.2.1.task`);
  await expect.poll(canceled).toContain(`${name}~tester.1.1.task`);
});

it("a message that comes again gets its task that waits at once, also after a restart and beside a subscriber", async () => {
  const name = "asked-again";
  const a2a = await client("JSONRPC");
  const question = ask(call("pay", { to: name, amount: 1 }), name);
  const task = await send(a2a, question);
  await crash(name);
  // Whoever subscribes makes the object hold the task again.
  const watched = a2a.resubscribeTask({ tenant: "", id: task.id });
  await watched.next();
  expect(await send(a2a, question)).toEqual(task);
  const events: string[] = [];
  for await (const { payload } of a2a.sendMessageStream(question)) events.push(payload?.$case ?? "");
  expect(events).toEqual(["task"]);
  await watched.return();
});
