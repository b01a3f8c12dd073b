// A2A 1.0, section 3: operations.
import { describe, expect, it } from "vitest";
import { agent, begin, card, Event, LONG_SCENARIO, playsScenarios, Task, taskOf } from "./agent.ts";
import { BINDINGS } from "./wire.ts";

const IN_PROGRESS = ["TASK_STATE_SUBMITTED", "TASK_STATE_WORKING"];
const NOW = { configuration: { returnImmediately: true } };

describe.each(BINDINGS)("over %s", (binding) => {
  const send = async (scenario: string, more = {}) =>
    taskOf(await agent.call(binding, "SendMessage", { ...begin(scenario), ...more }));
  const get = async (id: string, more = {}) => taskOf(await agent.call(binding, "GetTask", { id, ...more }));
  const errorOf = async (method: string, params = {}) => (await agent.call(binding, method, params)).error?.code;

  describe("3.1.1 SendMessage", () => {
    it("answers with a task or a message", async () => {
      const { result } = await agent.call(binding, "SendMessage", begin("tck-complete-task"));
      expect(Object.keys(result ?? {})).toHaveLength(1);
    });

    it.runIf(playsScenarios)("waits for the end, unless the client wants the task at once", async () => {
      expect((await send("tck-complete-task")).status.state).toBe("TASK_STATE_COMPLETED");
      const begun = await send(LONG_SCENARIO, NOW);
      expect(IN_PROGRESS).toContain(begun.status.state);
      await agent.call(binding, "CancelTask", { id: begun.id });
    });

    it.runIf(playsScenarios)("takes a message once, however often it comes", async () => {
      const params = begin("tck-complete-task");
      const [one, two] = [
        await agent.call(binding, "SendMessage", params),
        await agent.call(binding, "SendMessage", params),
      ];
      expect(taskOf(two).id).toBe(taskOf(one).id);
    });

    it.runIf(playsScenarios)("may be answered by a message without a task", async () => {
      const { result } = await agent.call(binding, "SendMessage", begin("tck-message-response"));
      expect(result).toMatchObject({ message: { role: "ROLE_AGENT", parts: [{ text: "Direct message response" }] } });
    });

    it.runIf(playsScenarios)("may be refused by the agent", async () => {
      expect((await send("tck-reject-task")).status.state).toBe("TASK_STATE_REJECTED");
    });

    it("refuses a message for a task that has ended", async () => {
      const { id } = await send("tck-complete-task");
      expect(await errorOf("SendMessage", begin("again", { taskId: id }))).toBe(-32004);
    });
  });

  describe.runIf(card.capabilities.streaming)("3.1.2 SendStreamingMessage", () => {
    it.runIf(playsScenarios)("begins with the task, ends with its end, in order", async () => {
      const events: Event[] = [];
      for await (const event of agent.stream(binding, "SendStreamingMessage", begin("tck-stream-001")))
        events.push(Event.parse(event));
      const [first] = events;
      expect(first).toHaveProperty("task");
      expect(events.at(-1)).toMatchObject({ statusUpdate: { status: { state: "TASK_STATE_COMPLETED" } } });
      const updates = events.flatMap((event) => ("artifactUpdate" in event ? [event.artifactUpdate] : []));
      expect(updates.map(({ lastChunk }) => lastChunk)).toEqual([...updates.slice(1).map(() => false), true]);
      expect(updates.at(-1)).toMatchObject({ append: false, artifact: { parts: [{ text: "Stream hello from TCK" }] } });
    });

    it.runIf(playsScenarios)("sends an artifact in pieces, and at last the whole", async () => {
      const texts: string[] = [];
      for await (const event of agent.stream(binding, "SendStreamingMessage", begin("tck-stream-artifact-chunked"))) {
        const parsed = Event.parse(event);
        if ("artifactUpdate" in parsed)
          texts.push(parsed.artifactUpdate.artifact.parts.map(({ text }) => text).join(""));
      }
      expect(texts).toEqual(["chunk-1 ", "chunk-1 chunk-2"]);
    });

    it.runIf(playsScenarios)("a stream with a message has nothing else", async () => {
      const events: unknown[] = [];
      for await (const event of agent.stream(binding, "SendStreamingMessage", begin("tck-message-response")))
        events.push(event);
      expect(events).toEqual([{ message: expect.objectContaining({ role: "ROLE_AGENT" }) }]);
    });

    it.runIf(playsScenarios)("3.2.4: historyLength counts in the first event, too", async () => {
      const params = { ...begin("tck-complete-task"), configuration: { historyLength: 0 } };
      for await (const event of agent.stream(binding, "SendStreamingMessage", params)) {
        const parsed = Event.parse(event);
        expect("task" in parsed ? parsed.task.history : []).toEqual([]);
      }
    });
  });

  describe("3.1.3 GetTask", () => {
    it("returns the task, its history as long as asked for", async () => {
      const task = await send("tck-complete-task");
      expect(await get(task.id)).toMatchObject({
        id: task.id,
        contextId: task.contextId,
        status: { state: task.status.state },
      });
      expect((await get(task.id, { historyLength: 0 })).history).toEqual([]);
      expect((await get(task.id, { historyLength: 1 })).history).toHaveLength(1);
      expect(await errorOf("GetTask", { id: task.id, historyLength: -1 })).toBe(-32602);
    });

    it("3.3.2: knows no task that it never gave", async () => {
      expect(await errorOf("GetTask", { id: "no-such-task" })).toBe(-32001);
      expect(await errorOf("CancelTask", { id: "no-such-task" })).toBe(-32001);
    });
  });

  describe("3.1.4 ListTasks", () => {
    it("filters by context and state, and pages without a gap or a double", async () => {
      const contextId = `list-${binding === "JSONRPC" ? "rpc" : "http"}-${Date.now()}`;
      const made: string[] = [];
      for (let n = 0; n < 5; n++)
        made.push((await send("tck-complete-task", begin("tck-complete-task", { contextId }))).id);
      const seen: string[] = [];
      let pageToken = "";
      do {
        const page = await agent.call(binding, "ListTasks", {
          contextId,
          pageSize: 2,
          ...(pageToken ? { pageToken } : {}),
        });
        const tasks = (page.result?.["tasks"] ?? []) as unknown[];
        seen.push(...tasks.map((task) => Task.parse(task).id));
        expect(page.result?.["totalSize"]).toBe(5);
        pageToken = String(page.result?.["nextPageToken"] ?? "");
      } while (pageToken !== "");
      expect(seen).toEqual(made.toReversed());
      const failed = await agent.call(binding, "ListTasks", { contextId, status: "TASK_STATE_FAILED" });
      expect(failed.result?.["tasks"] ?? []).toEqual([]);
      const future = { contextId, statusTimestampAfter: "2999-01-01T00:00:00Z" };
      expect((await agent.call(binding, "ListTasks", future)).result?.["tasks"] ?? []).toEqual([]);
    });

    it("leaves artifacts out unless they are asked for", async () => {
      const { contextId } = await send("tck-complete-task");
      const plain = await agent.call(binding, "ListTasks", { contextId });
      expect(JSON.stringify(plain.result)).not.toContain('"artifacts":[{');
      const whole = await agent.call(binding, "ListTasks", { contextId, includeArtifacts: true });
      expect(JSON.stringify(whole.result)).toContain("Hello from TCK");
    });

    it.each([{ pageSize: 0 }, { pageSize: 1000 }, { pageToken: "made up" }, { statusTimestampAfter: "yesterday" }])(
      "refuses %j",
      async (params) => {
        expect(await errorOf("ListTasks", params)).toBe(-32602);
      },
    );
  });

  describe("3.1.5 CancelTask", () => {
    it.runIf(playsScenarios)("ends a task that works or waits, and refuses one that has ended", async () => {
      for (const begun of [await send(LONG_SCENARIO, NOW), await send("tck-input-required")]) {
        expect(taskOf(await agent.call(binding, "CancelTask", { id: begun.id })).status.state).toBe(
          "TASK_STATE_CANCELED",
        );
        expect(await errorOf("CancelTask", { id: begun.id })).toBe(-32002);
      }
    });
  });

  describe.runIf(playsScenarios)("3.1.6 SubscribeToTask", () => {
    it("begins with the task as it stands, and ends with it", async () => {
      const { id } = await send(LONG_SCENARIO, NOW);
      const events: Event[] = [];
      for await (const event of agent.stream(binding, "SubscribeToTask", { id })) events.push(Event.parse(event));
      expect(events[0]).toMatchObject({ task: { id } });
      expect(events.at(-1)).toMatchObject({ statusUpdate: { status: { state: "TASK_STATE_COMPLETED" } } });
      await expect(agent.stream(binding, "SubscribeToTask", { id }).next()).rejects.toThrow(/32004|UNSUPPORTED/);
    });

    it("3.5: all subscribers get the same events, and who leaves cancels nothing", async () => {
      const { id } = await send(LONG_SCENARIO, NOW);
      const leaving = agent.stream(binding, "SubscribeToTask", { id });
      await leaving.next();
      await leaving.return();
      const read = async () => {
        const texts: string[] = [];
        for await (const event of agent.stream(binding, "SubscribeToTask", { id })) texts.push(JSON.stringify(event));
        return texts.slice(1);
      };
      const [one, two] = await Promise.all([read(), read()]);
      expect(one.at(-1)).toContain("TASK_STATE_COMPLETED");
      expect(one.slice(-3)).toEqual(two.slice(-3));
    });
  });

  describe.runIf(playsScenarios)("3.4 several turns", () => {
    it("an answer to a question continues the task, and the history keeps both", async () => {
      const asked = await send("tck-input-required");
      expect(asked.status).toMatchObject({ state: "TASK_STATE_INPUT_REQUIRED", message: { role: "ROLE_AGENT" } });
      const reply = { taskId: asked.id, parts: [{ text: "this" }, { data: { and: "that" } }] };
      const done = taskOf(await agent.call(binding, "SendMessage", begin("answer", reply)));
      expect(done).toMatchObject({ id: asked.id, status: { state: "TASK_STATE_COMPLETED" } });
      expect(done.artifacts[0]?.parts[0]?.text).toBe("It was told 2 parts.");
      const { history } = await get(asked.id);
      expect(history.map(({ role }) => role)).toEqual(["ROLE_USER", "ROLE_AGENT", "ROLE_USER"]);
      expect(history[1]?.messageId).toBe(asked.status.message?.messageId);
      expect(history[2]?.parts).toMatchObject(reply.parts);
    });

    it("3.4.3: a message whose contextId is not its task's is refused", async () => {
      const asked = await send("tck-input-required");
      const params = begin("answer", { taskId: asked.id, contextId: "another" });
      expect(await errorOf("SendMessage", params)).toBe(-32602);
      await agent.call(binding, "CancelTask", { id: asked.id });
    });
  });

  it.runIf(card.capabilities.extendedAgentCard)(
    "3.1.11 GetExtendedAgentCard answers who may ask the agent",
    async () => {
      expect((await agent.call(binding, "GetExtendedAgentCard")).result).toMatchObject({ name: card.name });
    },
  );

  it.runIf(!card.capabilities.extendedAgentCard)(
    "3.3.4: an extended card that is not declared gets its error",
    async () => {
      expect(await errorOf("GetExtendedAgentCard")).toBe(-32004);
    },
  );

  // The task has ended, so nobody is told anything.
  describe.runIf(card.capabilities.pushNotifications)("3.1.7 to 3.1.10: push configs", () => {
    const url = "https://example.com/hook";
    const create = async (config: object) => agent.call(binding, "CreateTaskPushNotificationConfig", { ...config });

    it("are created, read, listed and deleted, once or twice", async () => {
      const { id: taskId } = await send("tck-complete-task");
      const { result: config } = await create({ taskId, url, token: "token" });
      expect(config).toMatchObject({ taskId, url, id: expect.stringMatching(/./) as unknown });
      const named = { taskId, id: config?.["id"] };
      expect((await agent.call(binding, "GetTaskPushNotificationConfig", named)).result).toEqual(config);
      const list = async () => agent.call(binding, "ListTaskPushNotificationConfigs", { taskId });
      expect((await list()).result).toMatchObject({ configs: [config] });
      for (let i = 0; i < 2; i++)
        expect((await agent.call(binding, "DeleteTaskPushNotificationConfig", named)).error).toBeUndefined();
      expect((await list()).result?.["configs"] ?? []).toEqual([]);
      expect(await errorOf("GetTaskPushNotificationConfig", named)).toBe(-32001);
    });

    it("belong to a task that exists", async () => {
      expect(await errorOf("CreateTaskPushNotificationConfig", { taskId: "made-up", url })).toBe(-32001);
      expect(await errorOf("ListTaskPushNotificationConfigs", { taskId: "made-up" })).toBe(-32001);
    });

    it("13.2: lead to no private address", async () => {
      const { id: taskId } = await send("tck-complete-task");
      for (const address of ["http://127.0.0.1:9/", "http://169.254.169.254/", "http://[::1]/"])
        expect((await create({ taskId, url: address })).error?.code).toBe(-32602);
    });
  });

  it.runIf(!card.capabilities.pushNotifications)(
    "3.3.4: push configs get the error of what is not declared",
    async () => {
      const { id } = await send("tck-complete-task");
      expect(await errorOf("CreateTaskPushNotificationConfig", { taskId: id, url: "https://example.com" })).toBe(
        -32003,
      );
    },
  );
});
