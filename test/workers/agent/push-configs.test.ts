// Push configs of tasks (A2A 1.0, sections 3.1.7 to 3.1.10), over both bindings.
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { COMMAND_LINE } from "#shared/a2a/peer-token.ts";
import { MOST_CONFIGS } from "#shared/agent/session/push/push-notifications.ts";
import { signedBy } from "../../support/test-signers.ts";
import { ask, client, knock, post, send } from "./client.ts";
import { config, receiver } from "./pushing.ts";
import { session } from "./sessions.ts";

const VERSION = { "a2a-version": "1.0" };

/** By the account `principal`; by the person at the machine without one. */
async function rpc(method: string, params: unknown, principal?: string) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const mandate = { from: COMMAND_LINE, chain: [], principal: principal ?? "local" };
  const headers = principal === undefined ? {} : signedBy(mandate, { method: "POST", path: "/jsonrpc", body });
  const response = await post("/jsonrpc", body, headers);
  return response.json<{ result?: unknown; error?: { code: number; message: string } }>();
}

const taskIn = async (contextId: string) => (await send(await client("JSONRPC"), ask("say hi", contextId))).id;

describe.each(["JSONRPC", "HTTP+JSON"] as const)("over %s", (binding) => {
  it("a config is created, read, listed, replaced by its id, and deleted as often as one likes", async () => {
    const a2a = await client(binding);
    const taskId = await taskIn(`crud-${binding}`);
    const authentication = { scheme: "Bearer", credentials: "secret" };
    const wanted = config(receiver("crud"), { taskId, token: "mine", authentication });
    const created = await a2a.createTaskPushNotificationConfig(wanted);
    expect(created).toEqual({ ...wanted, id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(await a2a.getTaskPushNotificationConfig({ tenant: "", taskId, id: created.id })).toEqual(created);

    const named = await a2a.createTaskPushNotificationConfig(config(receiver("1"), { taskId, id: "a/b c" }));
    const replaced = await a2a.createTaskPushNotificationConfig({ ...named, url: receiver("2") });
    const all = { tenant: "", taskId, pageSize: 0, pageToken: "" };
    const listed = await a2a.listTaskPushNotificationConfig(all);
    expect(listed.configs.toSorted((x, y) => (x.id < y.id ? -1 : 1))).toEqual(
      [created, replaced].toSorted((x, y) => (x.id < y.id ? -1 : 1)),
    );
    expect(listed.nextPageToken).toBe("");

    const gone = { tenant: "", taskId, id: "a/b c" };
    await a2a.deleteTaskPushNotificationConfig(gone);
    await a2a.deleteTaskPushNotificationConfig(gone);
    expect((await a2a.listTaskPushNotificationConfig(all)).configs).toEqual([created]);
    await expect(a2a.getTaskPushNotificationConfig(gone)).rejects.toThrow("no push config a/b c");
  });
});

it("a list comes page by page, over both bindings", async () => {
  const taskId = await taskIn("paged");
  for (const id of ["b", "c", "a"]) await rpc("CreateTaskPushNotificationConfig", { taskId, id, url: receiver(id) });
  const path = `/tasks/${taskId}/pushNotificationConfigs`;
  const first = await (await knock(`${path}?pageSize=2`, { headers: VERSION })).json<{ nextPageToken: string }>();
  expect(first).toMatchObject({ configs: [{ id: "a" }, { id: "b" }], nextPageToken: expect.stringMatching(/./) });
  const pageToken = first.nextPageToken;
  const rest = { configs: [{ id: "c", taskId, url: receiver("c") }] };
  expect(await rpc("ListTaskPushNotificationConfigs", { taskId, pageToken })).toMatchObject({ result: rest });
  expect(await (await knock(`${path}?pageToken=${pageToken}`, { headers: VERSION })).json()).toEqual(rest);
  for (const wrong of [{ pageSize: -1 }, { pageToken: "!!" }])
    expect((await rpc("ListTaskPushNotificationConfigs", { taskId, ...wrong })).error?.code).toBe(-32602);
  const response = await knock(path, { method: "PUT", headers: VERSION });
  expect(response.status).toBe(405);
});

it.each([
  ["is missing", {}],
  ["must be an https or http address", { url: "file:///etc/passwd" }],
  ["must not hold a user", { url: "https://a:b@hooks.example/" }],
  ["private address", { url: "http://127.0.0.1:9/" }],
  ["private address", { url: "http://[::1]/" }],
  ["private address", { url: "http://169.254.169.254/latest/meta-data" }],
  ["private address", { url: "http://10.1.2.3:9001/" }],
])("an address that %s is refused, with a task and with a message", async (why, wanted) => {
  const taskId = await taskIn("refused");
  const { error } = await rpc("CreateTaskPushNotificationConfig", { taskId, ...wanted });
  expect(error).toMatchObject({ code: -32602, message: expect.stringContaining(why) as unknown });
  const message = { messageId: "never", role: "ROLE_USER", parts: [{ text: "say no" }], contextId: "never" };
  const sent = await rpc("SendMessage", { message, configuration: { taskPushNotificationConfig: wanted } });
  expect(sent.error?.message).toBe(error?.message);
  const { result } = await rpc("ListTasks", { contextId: "never" });
  expect(result).toMatchObject({ totalSize: 0 });
});

it("an address that the operator allowed is taken, private as it is", async () => {
  const taskId = await taskIn("allowed");
  const { result } = await rpc("CreateTaskPushNotificationConfig", { taskId, url: "http://10.1.2.3:9000/hook" });
  expect(result).toMatchObject({ url: "http://10.1.2.3:9000/hook" });
});

it("for another account the configs of a task are those of no task", async () => {
  const taskId = await taskIn("mine");
  await rpc("CreateTaskPushNotificationConfig", { taskId, id: "x", url: receiver("mine") });
  const madeUp = `mine.7.${"x".repeat(16)}`;
  const without = (message = "") => message.replaceAll(taskId, "…").replaceAll(madeUp, "…");
  for (const method of ["Create", "Get", "Delete"].map((verb) => `${verb}TaskPushNotificationConfig`)) {
    const params = { id: "x", url: receiver("theirs") };
    const foreign = await rpc(method, { taskId, ...params }, "somebody");
    const none = await rpc(method, { taskId: madeUp, ...params }, "somebody");
    expect(foreign.error?.code).toBe(-32001);
    expect({ ...foreign.error, message: without(foreign.error?.message) }).toEqual({
      ...none.error,
      message: without(none.error?.message),
    });
  }
  expect((await rpc("ListTaskPushNotificationConfigs", { taskId }, "somebody")).error?.code).toBe(-32001);
  const mine = await rpc("GetTaskPushNotificationConfig", { taskId, id: "x" });
  expect(mine.result).toMatchObject({ url: receiver("mine") });
});

it(`a task has ${MOST_CONFIGS} configs at most, of which each may be replaced`, async () => {
  const taskId = await taskIn("many");
  const create = async (id: string) =>
    (await rpc("CreateTaskPushNotificationConfig", { taskId, id, url: receiver("x") })).error;
  for (let i = 0; i < MOST_CONFIGS; i++) expect(await create(`c${i}`)).toBeUndefined();
  expect(await create("one-more")).toMatchObject({
    code: -32602,
    message: expect.stringContaining("delete one") as unknown,
  });
  expect(await create("c3")).toBeUndefined();
});

it("a session has tables for push notifications only once it has a config", async () => {
  const tables = () =>
    runInDurableObject(session("plain"), (_, { storage: { sql } }) =>
      sql
        .exec<{ name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '_cf_%'")
        .toArray()
        .map(({ name }) => name),
    );
  const taskId = await taskIn("plain");
  await rpc("ListTaskPushNotificationConfigs", { taskId });
  await rpc("DeleteTaskPushNotificationConfig", { taskId, id: "x" });
  expect(await tables()).toEqual(["entry"]);
  await rpc("CreateTaskPushNotificationConfig", { taskId, url: receiver("plain") });
  expect(await tables()).toEqual(["entry", "push_config", "push_event"]);
});
