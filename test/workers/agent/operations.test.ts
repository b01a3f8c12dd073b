// The A2A operations through both bindings, with the SDK's own client.
import { TaskState, type ListTasksRequest, type StreamResponse } from "@a2a-js/sdk";
import { describe, expect, it } from "vitest";
import { textOfParts } from "../../../shared/a2a/message.ts";
import { answerOf, ask, client, problemOf, send } from "./client.ts";

const LIST: ListTasksRequest = {
  tenant: "",
  contextId: "",
  status: TaskState.TASK_STATE_UNSPECIFIED,
  pageToken: "",
  statusTimestampAfter: undefined,
};

/** The id of the task that a stream begins with, and what follows. */
async function begin(rest: AsyncGenerator<StreamResponse, void, undefined>) {
  const { value } = await rest.next();
  return { id: value?.payload?.$case === "task" ? value.payload.value.id : "", rest };
}

describe.each(["JSONRPC", "HTTP+JSON"] as const)("over %s", (binding) => {
  it("an answer is an artifact of a completed task", async () => {
    const task = await send(await client(binding), ask("say hello world"));
    expect(task.status?.state).toBe(TaskState.TASK_STATE_COMPLETED);
    expect(answerOf(task)).toBe("hello world");
    expect(task.metadata).toMatchObject({
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      usage: { inputTokens: 10, outputTokens: 5 },
    });
  });

  it("a second message with the same contextId sees the first", async () => {
    const a2a = await client(binding);
    const first = await send(a2a, ask("remember me"));
    const second = await send(a2a, ask("again", first.contextId));
    expect(second.contextId).toBe(first.contextId);
    expect(answerOf(second)).toBe("3 messages, the last: again");
  });

  it("text reaches the client while the model speaks, and adds up to the answer", async () => {
    const events: StreamResponse[] = [];
    const seenAt: number[] = [];
    for await (const event of (await client(binding)).sendMessageStream(ask("drip one two three four"))) {
      events.push(event);
      seenAt.push(Date.now());
    }
    expect(events[0]?.payload?.$case).toBe("task");
    expect(events.at(-1)?.payload).toMatchObject({
      $case: "statusUpdate",
      value: { status: { state: TaskState.TASK_STATE_COMPLETED } },
    });
    let text = "";
    for (const { payload } of events) {
      if (payload?.$case !== "artifactUpdate") continue;
      const [part] = payload.value.artifact?.parts ?? [];
      const chunk = part?.content?.$case === "text" ? part.content.value : "";
      text = payload.value.append ? text + chunk : chunk;
    }
    expect(text).toBe("one two three four");
    expect((seenAt.at(-1) ?? 0) - (seenAt[1] ?? 0)).toBeGreaterThan(50);
  });

  it("a task can be got and listed after it ended", async () => {
    const a2a = await client(binding);
    const task = await send(a2a, ask("say kept"));
    expect(answerOf(await a2a.getTask({ tenant: "", id: task.id }))).toBe("kept");
    const listed = await a2a.listTasks({ ...LIST, contextId: task.contextId });
    expect(listed.tasks.map(({ id }) => id)).toEqual([task.id]);
    const everywhere = await a2a.listTasks({ ...LIST, pageSize: 100 });
    expect(everywhere.tasks.map(({ id }) => id)).toContain(task.id);
  });

  it("a list without contextId is paged, newest first, and does not repeat itself", async () => {
    const a2a = await client(binding);
    for (const word of ["a", "b", "c"]) await send(a2a, ask(`say ${word}`));
    const first = await a2a.listTasks({ ...LIST, pageSize: 2 });
    const second = await a2a.listTasks({ ...LIST, pageSize: 2, pageToken: first.nextPageToken });
    const ids = [...first.tasks, ...second.tasks].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(first.tasks).toHaveLength(2);
    expect(first.totalSize).toBeGreaterThanOrEqual(3);
  });

  it("canceling stops the model call at once", async () => {
    const a2a = await client(binding);
    const stream = a2a.sendMessageStream(ask("hang"));
    const { value } = await stream.next();
    const id = value?.payload?.$case === "task" ? value.payload.value.id : "";
    const before = Date.now();
    const task = await a2a.cancelTask({ tenant: "", id, metadata: undefined });
    expect(task.status?.state).toBe(TaskState.TASK_STATE_CANCELED);
    expect(Date.now() - before).toBeLessThan(5_000);
    await expect(a2a.cancelTask({ tenant: "", id, metadata: undefined })).rejects.toThrow(/ended already/);
    for await (const _ of stream); // ends by itself
  });

  it("canceling a task that waits in line ends it at once, and the one before it goes on", async () => {
    const a2a = await client(binding);
    const contextId = `waiting-${binding}`;
    const first = await begin(a2a.sendMessageStream(ask("hang", contextId)));
    const second = await begin(a2a.sendMessageStream(ask("say never", contextId)));
    const before = Date.now();
    const canceled = await a2a.cancelTask({ tenant: "", id: second.id, metadata: undefined });
    expect(Date.now() - before).toBeLessThan(5_000);
    expect(canceled.status?.state).toBe(TaskState.TASK_STATE_CANCELED);
    for await (const _ of second.rest); // ends by itself
    expect((await a2a.getTask({ tenant: "", id: first.id })).status?.state).toBe(TaskState.TASK_STATE_WORKING);
    await a2a.cancelTask({ tenant: "", id: first.id, metadata: undefined });
    expect(answerOf(await send(a2a, ask("say on", contextId)))).toBe("on");
  });

  it("a canceled task shows the same whoever asks, and none of the half answer", async () => {
    const a2a = await client(binding);
    const { id, rest } = await begin(a2a.sendMessageStream(ask("hang")));
    expect((await rest.next()).value?.payload?.$case).toBe("artifactUpdate");
    const canceled = await a2a.cancelTask({ tenant: "", id, metadata: undefined });
    expect(canceled.artifacts).toEqual([]);
    expect(await a2a.getTask({ tenant: "", id })).toEqual(canceled);
  });

  it("who watched a task that was canceled in mid-answer is left with what GetTask shows: nothing", async () => {
    const a2a = await client(binding);
    const { id, rest } = await begin(a2a.sendMessageStream(ask("hang")));
    let [most, seen] = ["", ""];
    for await (const { payload } of rest) {
      if (payload?.$case !== "artifactUpdate") continue;
      const text = textOfParts(payload.value.artifact?.parts);
      seen = payload.value.append ? seen + text : text;
      if (most === "") void a2a.cancelTask({ tenant: "", id, metadata: undefined });
      most ||= seen;
    }
    expect(most).not.toBe("");
    expect(seen).toBe(answerOf(await a2a.getTask({ tenant: "", id })));
  });

  it("a list carries artifacts only when they are asked for", async () => {
    const a2a = await client(binding);
    const { contextId } = await send(a2a, ask("say kept"));
    for (const request of [
      { ...LIST, contextId },
      { ...LIST, pageSize: 1 },
    ]) {
      expect((await a2a.listTasks(request)).tasks[0]?.artifacts).toEqual([]);
      const { tasks } = await a2a.listTasks({ ...request, includeArtifacts: true });
      expect(tasks[0]?.artifacts).toHaveLength(1);
    }
  });

  it("a model that stops for a reason of its own making, or says far too much, leaves the thread usable", async () => {
    const a2a = await client(binding);
    const contextId = `odd-${binding}`;
    expect(answerOf(await send(a2a, ask("stop length", contextId)))).toBe("words");
    expect(problemOf(await send(a2a, ask("long", contextId)))).toMatch(/longer than the 1\.8 MB/);
    expect(answerOf(await send(a2a, ask("long 17", contextId)))).toHaveLength(1_700_000);
    expect(problemOf(await send(a2a, ask("gateway", contextId))).length).toBeLessThan(3_000);
    expect(answerOf(await send(a2a, ask("say fine", contextId)))).toBe("fine");
  });

  it("canceling stops a tool that does not listen, and the next message is answered", async () => {
    const a2a = await client(binding);
    const stream = a2a.sendMessageStream(ask("call hang {}"));
    const { value } = await stream.next();
    const task = value?.payload?.$case === "task" ? value.payload.value : undefined;
    const canceled = await a2a.cancelTask({ tenant: "", id: task?.id ?? "", metadata: undefined });
    expect(canceled.status?.state).toBe(TaskState.TASK_STATE_CANCELED);
    expect(answerOf(await send(a2a, ask("say on", task?.contextId)))).toBe("on");
  });

  it("a subscriber gets the snapshot and then what follows, and both make the whole", async () => {
    const a2a = await client(binding);
    const stream = a2a.sendMessageStream(ask("drip one two three four five"));
    let id = "";
    for (let seen = 0; seen < 3; seen++) {
      const { value } = await stream.next();
      if (value?.payload?.$case === "task") id = value.payload.value.id;
    }
    let text = "";
    for await (const { payload } of a2a.resubscribeTask({ tenant: "", id })) {
      if (payload?.$case === "task") text = answerOf(payload.value);
      if (payload?.$case !== "artifactUpdate") continue;
      const [part] = payload.value.artifact?.parts ?? [];
      const chunk = part?.content?.$case === "text" ? part.content.value : "";
      text = payload.value.append ? text + chunk : chunk;
    }
    expect(text).toBe("one two three four five");
    for await (const _ of stream); // the first subscriber is served to the end as well
  });

  it("a message to a task that ended is refused and says how to go on", async () => {
    const a2a = await client(binding);
    const task = await send(a2a, ask("say over"));
    await expect(send(a2a, ask("more", task.contextId, { taskId: task.id }))).rejects.toThrow(
      /has ended: send the message with contextId/,
    );
  });

  it("a second message of a thread waits in line and sees the first one's answer", async () => {
    const a2a = await client(binding);
    const [first, second] = await Promise.all([
      send(a2a, ask("drip a b c", "line-" + binding)),
      send(a2a, ask("next", "line-" + binding)),
    ]);
    expect(answerOf(first)).toBe("a b c");
    expect(answerOf(second)).toBe("3 messages, the last: next");
  });

  it("what the model does wrong ends the task as failed, with the reason", async () => {
    const a2a = await client(binding);
    for (const [text, reason] of [
      ["refuse", /refused/],
      ["empty", /empty answer/],
      ["status 401", /ANTHROPIC_API_KEY/],
      ["status 403", /does not allow this key/],
    ] as const) {
      const task = await send(a2a, ask(text));
      expect(task.status?.state).toBe(TaskState.TASK_STATE_FAILED);
      expect(problemOf(task)).toMatch(reason);
    }
  });

  it("an answer that was cut at max_tokens says so", async () => {
    expect(answerOf(await send(await client(binding), ask("cut")))).toMatch(/half an answ\n\n\[The answer was cut/);
  });

  it("trouble with a tool reaches the model as a result, and the turn goes on", async () => {
    const a2a = await client(binding);
    for (const [text, result] of [
      ["call throw {}", /done: thrown on purpose/],
      ['call echo {"text": 1}', /done: The input of echo does not fit its schema/],
      ["call echo {not json", /done: The input was not a JSON object/],
      ["call ecko {}", /done: There is no tool named ecko. Did you mean "echo"/],
      ["call long {}", /\[cut: 4900000 of 5000000 characters left out\]/],
      ['call echo {"text":"fine"}', /done: fine/],
    ] as const) {
      const task = await send(a2a, ask(text));
      expect(task.status?.state).toBe(TaskState.TASK_STATE_COMPLETED);
      expect(answerOf(task)).toMatch(result);
    }
  });
});
