// The one alarm of a session rings for its turns, its approvals and its push notifications: none of them may take it from the others.
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { TaskState } from "@a2a-js/sdk";
import { expect, it } from "vitest";
import type { AgentDefinition } from "#shared/agent/definition.ts";
import { PushNotifications } from "#shared/agent/session/push/push-notifications.ts";
import { SessionStore } from "#shared/agent/session/tasks/store.ts";
import { newTaskTrace } from "#shared/agent/session/tasks/task-trace.ts";
import { Tasks } from "#shared/agent/session/tasks/tasks.ts";
import { Alarm } from "#shared/durable/alarm.ts";
import { EXPIRES_MS } from "./asking.ts";
import { client, send } from "./client.ts";
import { answers, askWith, config, hears, receiver, ring, stored } from "./pushing.ts";
import { session } from "./sessions.ts";

const DEFINITION: AgentDefinition = { name: "t", description: "t", instructions: "t", skills: [], tools: [] };

it("work that ends leaves the alarm to notifications that wait, and else clears it", async () => {
  const url = receiver("idle");
  await answers(url, "hang");
  await runInDurableObject(env.SCRATCH.getByName("push-idle"), async (_, ctx) => {
    const [store, alarm] = [new SessionStore(ctx.storage.sql), new Alarm(ctx.storage)];
    const tasks = new Tasks({ ctx, env, definition: DEFINITION, store, alarm });
    const push = new PushNotifications(tasks, ctx.storage.sql);
    const row = store.createTask({
      contextId: "push-idle",
      state: TaskState.TASK_STATE_WORKING,
      trace: newTaskTrace(undefined, [], { method: "SendMessage", messageId: "m", isRecorded: false }),
      messageId: "m",
      asker: () => ({ principal: "local", chain: [], query: "q" }),
      first: { kind: "user", text: "hi" },
    });
    push.save(row, push.check(config(url, { id: "x" })));
    tasks.ringWhileBusy();
    store.endTask(row, {
      state: TaskState.TASK_STATE_COMPLETED,
      answer: "hi",
      problem: null,
      usage: null,
      result: null,
    });
    tasks.idle();
    expect(await ctx.storage.getAlarm()).not.toBeNull();
    push.delete(row, "x");
    tasks.ringWhileBusy();
    tasks.idle();
    expect(await ctx.storage.getAlarm()).toBeNull();
  });
});

it("an approval and a notification that wait both keep their times, whichever comes first", async () => {
  const name = "push-approval-alarm";
  const url = receiver(name);
  const alarmAt = () => runInDurableObject(session(name), (_, { storage }) => storage.getAlarm());
  await answers(url, { status: 500 }, { status: 429, headers: { "retry-after": "18000" } });
  const pay = `call pay ${JSON.stringify({ to: name, amount: 1 })}`;
  await send(await client("JSONRPC"), askWith(config(url), pay, name, false));
  await expect.poll(async () => (await stored(name))[0]?.tries).toBe(1);
  const [{ due_at: dueAt } = { due_at: 0 }] = await stored(name);
  await runDurableObjectAlarm(session(name));
  // The notification comes first.
  expect(await alarmAt()).toBe(dueAt);
  await ring(name);
  await expect.poll(async () => (await stored(name))[0]?.tries).toBe(2);
  await runDurableObjectAlarm(session(name));
  // Now the approval does.
  const at = (await alarmAt()) ?? 0;
  expect(at).toBeGreaterThan(Date.now());
  expect(at).toBeLessThanOrEqual(Date.now() + EXPIRES_MS);
  await ring(name);
  await hears(url, "task WORKING", "task WORKING", "task WORKING", "INPUT_REQUIRED");
});
