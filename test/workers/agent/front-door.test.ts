// Bad input gets a clear error in the form of its binding, and touches no session.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { formatTaskId } from "../../../shared/a2a/task-id.ts";
import { ask, client, knock, post, postSigned, send } from "./client.ts";

const message = { messageId: "m", role: "ROLE_USER", parts: [{ text: "say hi" }] };

async function rpc(method: string, params: unknown, headers = {}) {
  const response = await post("/jsonrpc", { jsonrpc: "2.0", id: 1, method, params }, headers);
  return await response.json<{ error?: { code: number; message: string }; result?: unknown }>();
}

async function rest(path: string, body: unknown, headers = {}) {
  const response = await post(path, body, headers);
  const { error } = await response.json<{ error?: { code: number; message: string; status: string } }>();
  return { http: response.status, message: error?.message ?? "" };
}

it.each([
  ["data of a part", (deep: string) => `{"message":{"messageId":"m","role":"ROLE_USER","parts":[{"data":${deep}}]}}`],
  ["metadata", (deep: string) => `{"message":{"messageId":"m","role":"ROLE_USER","metadata":{"a":${deep}}}}`],
])("%s that is nested without end is refused in words", async (_, body) => {
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  const response = await post("/message:send", body(deep));
  expect(response.status).toBe(400);
  expect(await response.text()).toContain("nested more than 256 levels deep");
});

describe("the JSON-RPC binding", () => {
  it("answers malformed JSON with -32700", async () => {
    const response = await post("/jsonrpc", "{");
    expect(await response.json()).toMatchObject({ jsonrpc: "2.0", id: null, error: { code: -32700 } });
  });

  it.each([[[]], [{ jsonrpc: "1.0", id: 1, method: "SendMessage" }], [{ jsonrpc: "2.0", id: 1 }], ["text"], [null]])(
    "answers %j, which is no request, with -32600",
    async (body) => {
      expect(await (await post("/jsonrpc", JSON.stringify(body))).json()).toMatchObject({ error: { code: -32600 } });
    },
  );

  it("answers an unknown method with -32601", async () => {
    expect((await rpc("SendMassage", { message })).error).toMatchObject({
      code: -32601,
      message: expect.stringContaining("SendMassage"),
    });
  });

  it.each([
    ["a task id that was never given", "GetTask", { id: "no-such-task" }, -32001],
    ["no id", "GetTask", {}, -32602],
    ["an empty id", "CancelTask", { id: "" }, -32602],
    ["no parts", "SendMessage", { message: { ...message, parts: [] } }, -32602],
    ["no message", "SendMessage", {}, -32602],
    ["no messageId", "SendMessage", { message: { ...message, messageId: "" } }, -32602],
    ["a part without content", "SendMessage", { message: { ...message, parts: [{}] } }, -32602],
    ["a file part", "SendMessage", { message: { ...message, parts: [{ url: "https://x.test/a.pdf" }] } }, -32005],
    ["a messageId that is no text", "SendMessage", { message: { ...message, messageId: "m\ud83d" } }, -32602],
    ["a contextId with ~", "SendMessage", { message: { ...message, contextId: "mine~other.1" } }, -32602],
    [
      "a contextId of 10,000 characters",
      "SendMessage",
      { message: { ...message, contextId: "c".repeat(10_000) } },
      -32602,
    ],
    ["push for no task", "CreateTaskPushNotificationConfig", { url: "https://x.test" }, -32602],
    ["push for a made-up task", "CreateTaskPushNotificationConfig", { taskId: "x", url: "https://x.test" }, -32001],
    ["a push address that is no text", "CreateTaskPushNotificationConfig", { taskId: "x", url: {} }, -32602],
    ["a part that is null", "SendMessage", { message: { ...message, parts: [null] } }, -32602],
    ["a text that is no text", "SendMessage", { message: { ...message, parts: [{ text: {} }] } }, -32602],
    ["a file that is a number", "SendMessage", { message: { ...message, parts: [{ raw: 5 }] } }, -32602],
    ["a role that does not exist", "SendMessage", { message: { ...message, role: "ROLE_BOSS" } }, -32602],
    ["half a character in a contextId", "SendMessage", { message: { ...message, contextId: "\ud800" } }, -32602],
    ["a historyLength below zero", "ListTasks", { historyLength: -1 }, -32602],
    ["a historyLength that is no number", "SendMessage", { message, configuration: { historyLength: "x" } }, -32602],
    ["a state that does not exist", "ListTasks", { status: "TASK_STATE_TIRED" }, -32602],
    ["a page size that is no number", "ListTasks", { pageSize: "many" }, -32602],
    ["params by position", "ListTasks", [], -32602],
    ["a page of no tasks", "ListTasks", { pageSize: 0 }, -32602],
    ["a made-up page token", "ListTasks", { pageToken: "!!" }, -32602],
  ])("refuses %s", async (_, method, params, code) => {
    const { error } = await rpc(method, params);
    expect(error?.code).toBe(code);
    expect(error?.message).not.toBe("");
  });

  it("takes null for a field that is left out, and a field's proto name for its JSON name", async () => {
    const named = await rpc("SendMessage", { message: { ...message, context_id: "by-proto-name" } });
    expect(named.result).toMatchObject({ task: { contextId: "by-proto-name" } });
    const unnamed = await rpc("SendMessage", { message: { ...message, contextId: null, taskId: null } });
    expect(unnamed.error).toBeUndefined();
    const foreign = await rpc("SendMessage", { message: { ...message, context_id: "mine~other.1" } });
    expect(foreign.error?.code).toBe(-32602);
  });

  it("answers another content type with -32005", async () => {
    const response = await post("/jsonrpc", "{}", { "content-type": "text/plain" });
    expect(await response.json()).toMatchObject({ error: { code: -32005 } });
  });

  it("ignores a patch version", async () => {
    expect((await rpc("ListTasks", {}, { "a2a-version": "1.0.1" })).error).toBeUndefined();
    expect((await rpc("ListTasks", {}, { "a2a-version": "1.0.x" })).error?.code).toBe(-32009);
  });

  it("speaks 1.0 only, and says so to whoever names another version or none", async () => {
    for (const version of ["0.3", ""]) {
      const { error } = await rpc("SendMessage", { message }, { "a2a-version": version });
      expect(error).toMatchObject({ code: -32009, message: expect.stringContaining("A2A-Version: 1.0") });
    }
  });
});

describe("the HTTP+JSON binding", () => {
  it("answers malformed JSON with 400", async () => {
    expect(await rest("/message:send", "{")).toMatchObject({ http: 400, message: expect.stringContaining("not JSON") });
  });

  it("refuses another content type, by name", async () => {
    const refused = await rest("/message:send", "say hi", { "content-type": "text/plain" });
    expect(refused).toMatchObject({ http: 415, message: expect.stringContaining("text/plain") });
  });

  it("refuses a body of 10 MB, whatever its declared length", async () => {
    const refused = await rest("/message:send", { message: { ...message, parts: [{ text: "x".repeat(10_000_000) }] } });
    expect(refused).toMatchObject({ http: 413, message: expect.stringContaining("1048576 bytes") });
  });

  it("answers in the type that a client reads, if it reads one alone", async () => {
    const typeFor = async (path: string, accept: string) =>
      (await knock(path, { headers: { "a2a-version": "1.0", accept } })).headers.get("content-type");
    for (const path of ["/tasks", "/tasks/none"]) {
      expect(await typeFor(path, "application/json")).toBe("application/json");
      expect(await typeFor(path, "application/a2a+json, application/json")).toBe("application/a2a+json");
      expect(await typeFor(path, "*/*")).toBe("application/a2a+json");
    }
  });

  it("refuses a query that makes no sense", async () => {
    const response = await knock("/tasks?pageSize=many", { headers: { "a2a-version": "1.0" } });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining("whole number") } });
  });

  it("answers a method that means nothing at its path with 405", async () => {
    expect((await knock("/message:send", { headers: { "a2a-version": "1.0" } })).status).toBe(405);
  });
});

describe("task ids", () => {
  it("of another agent, another account or with another number are not found", async () => {
    const task = await send(await client("JSONRPC"), ask("say mine"));
    const foreign = [
      formatTaskId(env.TROUPE_KEY, { agent: "somebody", principal: "local" }, { contextId: task.contextId, n: 1 }),
      formatTaskId(env.TROUPE_KEY, { agent: "tester", principal: "somebody" }, { contextId: task.contextId, n: 1 }),
      task.id.replace(".1.", ".2."),
      task.id.replace(".1.", ".01."),
      `${task.contextId}.1.`,
    ];
    for (const id of foreign) expect((await rpc("GetTask", { id })).error?.code).toBe(-32001);
    expect((await rpc("GetTask", { id: task.id })).error).toBeUndefined();
  });
});

describe("an agent's thread", () => {
  const inThread = { message: { ...message, contextId: "session~other.1" } };

  it("is opened within a session by that agent", async () => {
    expect((await postSigned("/message:send", inThread)).status).toBe(200);
  });

  it("is open to no other agent", async () => {
    const refused = await postSigned("/message:send", inThread, { from: "third", chain: ["third"] });
    expect(refused.status).toBe(400);
  });
});

describe("the card and the rest", () => {
  it("answers a path that is not served with a problem that names the card", async () => {
    const response = await knock("/nowhere");
    expect(response.status).toBe(404);
    expect(await response.text()).toContain("/.well-known/agent-card.json");
  });
});
