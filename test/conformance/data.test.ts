// A2A 1.0, sections 4 and 5: the data model, and what both bindings share.
import { describe, expect, it } from "vitest";
import { agent, begin, playsScenarios, taskOf } from "./agent.ts";
import { BINDINGS } from "./wire.ts";

describe.each(BINDINGS)("over %s", (binding) => {
  const send = async (scenario: string, more = {}) =>
    taskOf(await agent.call(binding, "SendMessage", begin(scenario, more)));
  const errorOf = async (message: object) =>
    (
      await agent.call(binding, "SendMessage", {
        message: { messageId: crypto.randomUUID(), role: "ROLE_USER", ...message },
      })
    ).error?.code;

  it.runIf(playsScenarios).each([
    ["text", { text: "Generated text content" }],
    ["file", { raw: "R2VuZXJhdGVkIGZpbGUgY29udGVudA==", filename: "output.txt", mediaType: "text/plain" }],
    ["file-url", { url: "https://example.com/output.txt", filename: "output.txt", mediaType: "text/plain" }],
    ["data", { data: { key: "value", count: 42 } }],
  ])("4.1.6: an artifact holds a part of %s", async (kind, part) => {
    const { artifacts } = await send(`tck-artifact-${kind}`);
    expect(artifacts.map(({ parts }) => parts)).toEqual([[expect.objectContaining(part)]]);
  });

  it("4.1.4: a message is kept as it was said", async () => {
    const parts = [
      { text: "a" },
      { data: { b: [1, null, "c"] } },
      { raw: "ZA==", filename: "d.txt", mediaType: "text/plain" },
    ];
    const said = { parts, metadata: { e: { f: 1 } }, referenceTaskIds: ["g"], extensions: ["urn:h"] };
    const { history } = await send("tck-complete-task", said);
    expect(history[0]).toMatchObject({
      ...said,
      role: "ROLE_USER",
      messageId: expect.stringMatching(/^tck-complete-task-/),
    });
  });

  it.each(["a/b#c?d", "..", "ü b", "%2F", "tasks:cancel"])(
    "3.4.2: the id of a task is safe in a path, whatever the contextId: %s",
    async (contextId) => {
      const task = await send("tck-complete-task", { contextId });
      expect(task.contextId).toBe(contextId);
      expect(taskOf(await agent.call("HTTP+JSON", "GetTask", { id: task.id })).id).toBe(task.id);
    },
  );

  it.each([
    ["no parts", { parts: [] }],
    ["a part without content", { parts: [{}] }],
    ["no role", { role: undefined, parts: [{ text: "x" }] }],
    ["an empty messageId", { messageId: "", parts: [{ text: "x" }] }],
  ])("5.7: a message with %s is refused", async (_, message) => {
    expect(await errorOf(message)).toBe(-32602);
  });

  it.runIf(playsScenarios)(
    "3.3.2: a file of a type that the card does not name gets ContentTypeNotSupported",
    async () => {
      expect(await errorOf({ parts: [{ raw: "aGk=", mediaType: "application/x-nobody" }] })).toBe(-32005);
    },
  );

  it("5.5: a field may have its proto name, and null means left out", async () => {
    const contextId = crypto.randomUUID();
    const task = await send("tck-complete-task", { context_id: contextId, taskId: null });
    expect(task.contextId).toBe(contextId);
  });

  it("5.6.1: times are ISO 8601 in UTC with milliseconds", async () => {
    expect((await send("tck-complete-task")).status.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it.each([
    ["1.0", undefined],
    ["1.0.1", undefined],
    ["9.9", -32009],
    ["one", -32009],
  ])("3.6: version %s", async (version, code) => {
    const { error } = await agent.call(binding, "ListTasks", {}, { "a2a-version": version });
    expect(error?.code).toBe(code);
  });
});

describe("9 JSON-RPC", () => {
  const post = async (body: string, type = "application/json") => {
    const headers = { "content-type": type, "a2a-version": "1.0" };
    const response = await fetch(`${agent.url}/jsonrpc`, { method: "POST", headers, body });
    return (await response.json()) as { id: unknown; error?: { code: number } };
  };

  it.each([
    ["{", -32700],
    ["[]", -32600],
    ['{"jsonrpc":"1.0","id":1,"method":"GetTask"}', -32600],
    ['{"jsonrpc":"2.0","id":1,"method":"Nothing"}', -32601],
    ['{"jsonrpc":"2.0","id":1,"method":"GetTask","params":[]}', -32602],
    ['{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{}}', -32602],
  ])("9.5: %s gets %i", async (body, code) => {
    expect((await post(body)).error?.code).toBe(code);
  });

  it("3.3.2: another content type gets ContentTypeNotSupported", async () => {
    expect((await post("{}", "text/plain")).error?.code).toBe(-32005);
  });

  it("the answer has the request's id", async () => {
    expect((await post('{"jsonrpc":"2.0","id":"my id","method":"ListTasks"}')).id).toBe("my id");
  });
});

describe("11 HTTP+JSON", () => {
  it("11.6: an error is a google.rpc.Status with its reason", async () => {
    const response = await fetch(`${agent.url}/tasks/none`, { headers: { "a2a-version": "1.0" } });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      error: { code: 404, details: [{ reason: "TASK_NOT_FOUND", domain: "a2a-protocol.org" }] },
    });
  });
});
