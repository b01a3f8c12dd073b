// The Session against rows that cannot be read.
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { ListTasksRequest, TaskState } from "@a2a-js/sdk";
import type { Client } from "@a2a-js/sdk/client";
import { describe, expect, it } from "vitest";
import { flushSpans } from "#shared/agent/control-plane/tracing.ts";
import { ask, client, logOf, problemOf, send } from "./client.ts";
import { begin, crash, session } from "./sessions.ts";
import { addTask, rewrite, storedTasks } from "./stored.ts";
import { one, rootOf, traceOf } from "./spans.ts";

const call = (tool: string, input: object) => `call ${tool} ${JSON.stringify(input)}`;

const FINE = { kind: "user", text: "say fine" } as const;
/** A step that this version does not know. */
const LATER = '{"kind":"of a later version"}';

it("one thread whose log cannot be read does not keep the others of its session from being taken up", async () => {
  const name = "unreadable";
  const bad = await begin(name, call("hang", {}));
  expect(bad).not.toBe("");
  // A second thread of the same session, as a peer opens it.
  await addTask(name, { contextId: `${name}~z.1`, state: TaskState.TASK_STATE_WORKING, steps: [FINE] });
  await rewrite(name, (body) => body.replace(/\{"kind":"user","text":"call hang[^}]*\}"\}/, LATER));
  await crash(name);
  for (let i = 0; i < 2; i++) await runDurableObjectAlarm(session(name)).catch(() => undefined);
  const state = async () => (await storedTasks(name)).find(({ contextId }) => contextId === `${name}~z.1`)?.state;
  await expect.poll(state).toBe(TaskState.TASK_STATE_COMPLETED);
});

describe("a task whose log cannot be read any more", () => {
  /** The model's answer in it, and has it taken up again. */
  const makeUnreadable = async (name: string) => {
    await rewrite(name, (body) => (body.startsWith('{"kind":"assistant"') ? LATER : body));
    await crash(name);
    await runDurableObjectAlarm(session(name));
  };
  const FAILED = [TaskState.TASK_STATE_FAILED, expect.stringContaining("Its log cannot be read")];
  const stateOf = async (a2a: Client, id: string) => {
    const task = await a2a.getTask({ tenant: "", id });
    return [task.status?.state, problemOf(task)];
  };
  it("while it works has failed for whoever asks, sends its message again or cancels it, and its spans have ended", async () => {
    const name = "unreadable-working";
    const a2a = await client("JSONRPC");
    const question = ask(call("hang", {}), name);
    const { value } = await a2a.sendMessageStream(question).next();
    const id = value?.payload?.$case === "task" ? value.payload.value.id : "";
    await expect.poll(async () => (await logOf(name)).length).toBeGreaterThan(1);
    await makeUnreadable(name);
    expect(await stateOf(a2a, id)).toEqual(FAILED);
    expect(await send(a2a, question)).toMatchObject({ id, status: { state: TaskState.TASK_STATE_FAILED } });
    await expect(a2a.cancelTask({ tenant: "", id, metadata: undefined })).rejects.toThrow(/has ended already/);
    // Whoever was to send them may have gone with an object that crashed.
    await flushSpans(env);
    const spans = await traceOf(name);
    expect([rootOf(spans).open, one(spans, "invoke_agent tester").open]).toEqual([false, false]);
  });

  it("while it waits for an approval that another message has made void has failed as well", async () => {
    const name = "unreadable-waiting";
    const a2a = await client("JSONRPC");
    await send(a2a, ask("say hello", name));
    const { id } = await send(a2a, ask(call("pay", { to: name, amount: 1 }), name));
    // The message that makes it void had come, and was not taken up; what cannot be read belongs to the task before.
    await addTask(name, { contextId: name, state: TaskState.TASK_STATE_SUBMITTED, steps: [FINE] });
    await makeUnreadable(name);
    expect(await stateOf(a2a, id)).toEqual(FAILED);
  });
});

it("a session whose database cannot be read is left out when the agent's tasks are listed, and the others are there", async () => {
  const a2a = await client("JSONRPC");
  const [bad, good] = [await send(a2a, ask("say fine", "broken")), await send(a2a, ask("say fine", "whole"))];
  // As after an older release was deployed over a newer one: the object cannot even be made.
  await runInDurableObject(session("broken"), (_, { storage }) => {
    storage.sql.exec("DROP VIEW schema_version; CREATE VIEW schema_version AS SELECT 9999 AS version");
  });
  await crash("broken");
  const ids = (await a2a.listTasks(ListTasksRequest.fromJSON({ tenant: "" }))).tasks.map(({ id }) => id);
  expect(ids).toContain(good.id);
  expect(ids).not.toContain(bad.id);
});
