// The one alarm of a session rings for its turns, its approvals and its push notifications: none of them may take it from the others.
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { EXPIRES_MS } from "./asking.ts";
import { client, send } from "./client.ts";
import { answers, askWith, config, DEFINITION, DONE, hears, receiver, ring, stored, withTask } from "./pushing.ts";
import { crash, session } from "./sessions.ts";

it("work that ends leaves the alarm to notifications that wait, and else clears it", async () => {
  const url = receiver("idle");
  await answers(url, "hang");
  await withTask("push-idle", DEFINITION, async ({ tasks, push, row, storage }) => {
    push.save(row, push.check(config(url, { id: "x" }), false));
    tasks.ringWhileBusy();
    tasks.store.endTask(row, DONE);
    tasks.idle();
    expect(await storage.getAlarm()).not.toBeNull();
    push.delete(row, "x");
    tasks.ringWhileBusy();
    tasks.idle();
    expect(await storage.getAlarm()).toBeNull();
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

it("a new life with a notification that waits leaves an earlier alarm where it was", async () => {
  const name = "push-earlier-alarm";
  const url = receiver(name);
  const a2a = await client("JSONRPC");
  await answers(url, { status: 429, headers: { "retry-after": "18000" } });
  const { id } = await send(a2a, askWith(config(url), "say hi", name, false));
  await expect.poll(async () => (await stored(name))[0]?.tries).toBe(1);
  // For the SessionEnd hooks of the agent.
  const earlier = Date.now() + 60_000;
  await runInDurableObject(session(name), (_, { storage }) => storage.setAlarm(earlier));
  await crash(name);
  await a2a.getTask({ tenant: "", id });
  expect(await runInDurableObject(session(name), (_, { storage }) => storage.getAlarm())).toBe(earlier);
});
