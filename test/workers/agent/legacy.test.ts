// Clients of A2A 0.3 talk JSON-RPC to the same address.
import { TaskState, type StreamResponse } from "@a2a-js/sdk";
import { AgentCard } from "@a2a-js/sdk";
import { ClientFactory, ClientFactoryOptions, JsonRpcTransportFactory, type Client } from "@a2a-js/sdk/client";
import { expect, it } from "vitest";
import { answerOf, ask, client, knock, post, send } from "./client.ts";
import { askWith, came, config, hears, receiver, stored } from "./pushing.ts";

interface Answer {
  readonly result?: { readonly kind: string; readonly id: string; readonly status: { readonly state: string } };
  readonly error?: { readonly code: number };
}

/** Over JSON-RPC, without a version: as clients of 0.3 do. */
async function call(method: string, params: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await knock("/jsonrpc", {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ jsonrpc: "2.0", id: "x", method, params }),
  });
  return response.json<Answer>();
}

const said = (text: string) => ({
  message: { kind: "message", messageId: crypto.randomUUID(), role: "user", parts: [{ kind: "text", text }] },
});

/** The SDK's client for 0.3. */
async function legacyClient(): Promise<Client> {
  const fetchImpl: typeof fetch = (input, init) => knock(new URL(String(input)).pathname, init);
  const transports = [new JsonRpcTransportFactory({ fetchImpl, legacyCompat: { enabled: true } })];
  const factory = new ClientFactory(ClientFactoryOptions.createFrom(ClientFactoryOptions.default, { transports }));
  const card = AgentCard.fromJSON(await (await knock("/.well-known/agent-card.json")).json());
  const supportedInterfaces = card.supportedInterfaces.filter(({ protocolVersion }) => protocolVersion === "0.3");
  return factory.createFromAgentCard({ ...card, supportedInterfaces });
}

it("sends, reads and cancels", async () => {
  const { result } = await call("message/send", said("say old hello"));
  expect(result).toMatchObject({
    kind: "task",
    status: { state: "completed" },
    artifacts: [{ parts: [{ kind: "text", text: "old hello" }] }],
    history: [{ kind: "message", role: "user" }],
  });
  expect((await call("tasks/get", { id: result?.id })).result).toMatchObject({ kind: "task", id: result?.id });
  expect((await call("tasks/cancel", { id: result?.id })).error?.code).toBe(-32002);
  expect((await call("tasks/get", { id: "made-up" })).error?.code).toBe(-32001);
});

it("names the version or not, but a method of 1.0 needs the version of 1.0", async () => {
  expect((await call("message/send", said("say hi"), { "a2a-version": "0.3.0" })).error).toBeUndefined();
  expect((await call("message/send", said("say hi"), { "a2a-version": "1.0" })).error?.code).toBe(-32601);
  expect((await call("SendMessage", said("say hi"))).error?.code).toBe(-32009);
  expect((await call("message/shout", said("say hi"))).error?.code).toBe(-32601);
});

it("streams with the SDK's client, and answers an approval", async () => {
  const a2a = await legacyClient();
  const events: StreamResponse[] = [];
  for await (const event of a2a.sendMessageStream(ask("drip one two"))) events.push(event);
  expect(events[0]?.payload?.$case).toBe("task");
  expect(events.at(-1)?.payload?.value).toMatchObject({ status: { state: TaskState.TASK_STATE_COMPLETED } });
  const asked = await send(a2a, ask('call pay {"to":"legacy","amount":1}'));
  expect(asked.status?.state).toBe(TaskState.TASK_STATE_INPUT_REQUIRED);
  const done = await send(a2a, ask("yes", "", { taskId: asked.id }));
  expect(answerOf(done)).toContain("Paid 1 to legacy.");
});

it("goes by the names of 0.3 alone: a proto name leads past no check", async () => {
  const own = (await call("message/send", said("say hi"))).result?.id;
  const message = { ...said("say hi").message, task_id: own };
  expect((await call("message/send", { message: { ...message, contextId: "mine~hub.1" } })).error?.code).toBe(-32602);
  expect((await call("message/send", { message: { ...message, contextId: "c".repeat(10_000) } })).error?.code).toBe(
    -32602,
  );
  const opened = await call("message/send", { message });
  expect(opened.result?.id).not.toBe(own);
  expect(opened.result?.id).not.toMatch(/^~/);
  expect((await call("tasks/get", { id: opened.result?.id })).result?.status.state).toBe("completed");
});

it("a stream that cannot begin is a stream with an error", async () => {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tasks/resubscribe", params: { id: "made-up" } });
  const response = await knock("/jsonrpc", { method: "POST", headers: { "content-type": "application/json" }, body });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  expect(await response.text()).toMatch(/^data: .*-32001.*\n\n$/);
});

it("refuses what is malformed in its own words", async () => {
  expect((await call("message/send", {})).error?.code).toBe(-32602);
  expect((await call("message/send", { message: { ...said("x").message, parts: [] } })).error?.code).toBe(-32602);
  expect((await post("/message:send", said("x"), { "a2a-version": "0.3" })).status).toBe(400);
});

it("has push configs in its own words, whose receivers get the task as it is after each change, instead of events", async () => {
  const url = receiver("legacy");
  const authentication = { schemes: ["Bearer"], credentials: "secret" };
  const configuration = { pushNotificationConfig: { id: "old", url, token: "t", authentication }, blocking: true };
  const { result: task } = await call("message/send", { ...said("say old news"), configuration });
  await expect
    .poll(async () => came(url))
    .toMatchObject([
      { body: { kind: "task", id: task?.id, status: { state: "working" } } },
      { body: { kind: "task", status: { state: "completed" }, artifacts: [{ parts: [{ text: "old news" }] }] } },
    ]);
  for (const { headers } of await came(url))
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "x-a2a-notification-token": "t",
      authorization: "Bearer secret",
    });

  const taskId = task?.id ?? "";
  const pushNotificationConfig = { id: "new", url: receiver("legacy-new") };
  const set = await call("tasks/pushNotificationConfig/set", { taskId, pushNotificationConfig });
  expect(set.result).toMatchObject({ taskId, pushNotificationConfig });
  const named = { id: taskId, pushNotificationConfigId: "new" };
  expect((await call("tasks/pushNotificationConfig/get", named)).result).toMatchObject({ pushNotificationConfig });
  expect((await call("tasks/pushNotificationConfig/list", { id: taskId })).result).toHaveLength(2);
  expect((await call("tasks/pushNotificationConfig/delete", named)).error).toBeUndefined();
  expect((await call("tasks/pushNotificationConfig/get", named)).error?.code).toBe(-32001);
  expect((await call("tasks/pushNotificationConfig/set", { taskId })).error?.code).toBe(-32602);
});

it("shares a task with a receiver of 1.0: each gets its own form, in order", async () => {
  const a2a = await client("JSONRPC");
  const [url, old] = [receiver("both-new"), receiver("both-old")];
  const task = await send(a2a, askWith(config(url), 'call pay {"to":"both","amount":1}', "legacy-both", false));
  await call("tasks/pushNotificationConfig/set", { taskId: task.id, pushNotificationConfig: { url: old } });
  await a2a.cancelTask({ tenant: "", id: task.id, metadata: undefined });
  await hears(url, "task WORKING", "INPUT_REQUIRED", "CANCELED");
  await expect.poll(async () => came(old)).toMatchObject([{ body: { kind: "task", status: { state: "canceled" } } }]);
  await expect.poll(async () => stored("legacy-both")).toMatchObject([{ waiting: 0 }, { waiting: 0 }]);
});
