// The query's account when a task ends whose lives were cut off: nobody waits for the calls that they had begun.
import { runDurableObjectAlarm } from "cloudflare:test";
import { TaskState } from "@a2a-js/sdk";
import { expect, it } from "vitest";
import { ask, client } from "./client.ts";
import { crash, session } from "./sessions.ts";
import { rewrite } from "./stored.ts";
import { openCalls } from "./test-account.ts";

const nameOf = (name: string) => JSON.stringify(["local", name]);
const openOf = (name: string) => openCalls.get(nameOf(name))?.length;
const alarm = (name: string) => runDurableObjectAlarm(session(name));

/** A task that is killed in the middle of its first model call. */
async function killed(name: string): Promise<string> {
  openCalls.set(nameOf(name), []);
  const { value } = await (await client("JSONRPC")).sendMessageStream(ask("hang", name)).next();
  await expect.poll(() => openOf(name)).toBe(1);
  await crash(name);
  return value?.payload?.$case === "task" ? value.payload.value.id : "";
}
const stateOf = async (id: string) => (await (await client("JSONRPC")).getTask({ tenant: "", id })).status?.state;

it("a poisoned task leaves no call open at the account of its query", async () => {
  const id = await killed("poisoned");
  for (let life = 0; life < 9; life++) {
    await alarm("poisoned");
    await expect.poll(() => openOf("poisoned")).toBe(1);
    await crash("poisoned");
  }
  await alarm("poisoned");
  expect(await stateOf(id)).toBe(TaskState.TASK_STATE_FAILED);
  await expect.poll(() => openOf("poisoned")).toBe(0);
});

it("a task whose log cannot be read leaves no call open at the account of its query", async () => {
  openCalls.set(nameOf("illegible"), []);
  await (await client("JSONRPC")).sendMessageStream(ask("hang", "illegible")).next();
  await expect.poll(() => openOf("illegible")).toBe(1);
  await rewrite("illegible", (body) => body.replace(/"kind":"[a-z]+"/, '"kind":"of a later version"'));
  await crash("illegible");
  await alarm("illegible");
  await expect.poll(() => openOf("illegible")).toBe(0);
});

it("a task that is canceled before it has gone on leaves no call open at the account of its query", async () => {
  const id = await killed("canceled-early");
  await (await client("JSONRPC")).cancelTask({ tenant: "", id, metadata: undefined });
  expect(await stateOf(id)).toBe(TaskState.TASK_STATE_CANCELED);
  await expect.poll(() => openOf("canceled-early")).toBe(0);
});
