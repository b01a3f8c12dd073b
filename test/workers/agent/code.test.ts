// Agents of plain code in workerd: crashes, evictions, questions, bare messages, streams.
import { createExecutionContext, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import * as z from "zod";
import { SessionStore } from "#shared/agent/session/tasks/store.ts";
import { codeAgent, done, opened } from "./code-agent.ts";

const Part = z.looseObject({ text: z.optional(z.string()) });
const Task = z.looseObject({
  id: z.string(),
  contextId: z.string(),
  status: z.looseObject({ state: z.string(), message: z.optional(z.looseObject({ parts: z.array(Part) })) }),
  artifacts: z.array(z.looseObject({ artifactId: z.string(), parts: z.array(Part) })).default([]),
});
const Sent = z.union([z.object({ task: Task }), z.object({ message: z.looseObject({ parts: z.array(Part) }) })]);

async function knock(path: string, body?: object): Promise<Response> {
  const headers = { "a2a-version": "1.0", "content-type": "application/json" };
  const init = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
  const own = { ...env, SESSION: env.CODE_SESSION };
  return codeAgent.worker.fetch(new Request(`https://tester.test${path}`, init), own, createExecutionContext());
}

const said = (text: string, more: object = {}) => ({
  message: { messageId: crypto.randomUUID(), role: "ROLE_USER", parts: [{ text }], ...more },
});

async function send(text: string, more: object = {}, configuration: object = {}) {
  const response = await knock("/message:send", { ...said(text, more), configuration });
  return Sent.parse(await response.json());
}

async function taskOf(sent: Promise<z.infer<typeof Sent>>) {
  const answer = await sent;
  if (!("task" in answer)) throw new Error("The agent answered with a bare message.");
  return answer.task;
}

const get = async (id: string) => Task.parse(await (await knock(`/tasks/${id}`)).json());
const sessionOf = (contextId: string) => env.CODE_SESSION.getByName(JSON.stringify(["local", contextId]));
const kindsOf = async (contextId: string) =>
  runInDurableObject(sessionOf(contextId), (_, { storage }) =>
    new SessionStore(storage.sql).allSteps().map(({ kind }) => kind),
  );
const open = (name: string) => void opened.add(name);

async function crash(contextId: string): Promise<void> {
  await runInDurableObject(sessionOf(contextId), (_, state) => state.abort("crashed by the test")).catch(() => {});
}

it("a question waits through an eviction, and code that runs again gives no artifact twice", async () => {
  const asked = await taskOf(send("asks", { contextId: "asks" }));
  expect(asked.status).toMatchObject({ state: "TASK_STATE_INPUT_REQUIRED", message: { parts: [{ text: "one?" }] } });
  await evictDurableObject(sessionOf("asks"));
  const second = await taskOf(send("A", { taskId: asked.id }));
  expect(second.status.message?.parts[0]?.text).toBe("two?");
  const ended = await taskOf(send("B", { taskId: asked.id }));
  expect(ended.artifacts.map(({ artifactId, parts }) => [artifactId, parts[0]?.text])).toEqual([
    ["file", "the same"],
    ["answer", "A B"],
  ]);
  expect((await kindsOf("asks")).filter((kind) => kind === "artifact")).toHaveLength(1);
});

it("a crash in mid-call resumes the code, whose input the log keeps as JSON", async () => {
  const begun = await taskOf(send("waits", { contextId: "waits" }, { returnImmediately: true }));
  await expect.poll(() => done.filter((what) => what === "began waits").length).toBe(1);
  await crash("waits");
  await expect.poll(async () => (await get(begun.id)).status.state).toBe("TASK_STATE_WORKING");
  await expect.poll(() => done.filter((what) => what === "began waits").length).toBe(2);
  open("waits");
  await expect.poll(async () => (await get(begun.id)).status.state).toBe("TASK_STATE_COMPLETED");
  expect((await get(begun.id)).artifacts.at(-1)?.parts[0]?.text).toBe("Did waits.");
  expect((await kindsOf("waits")).filter((kind) => kind === "artifact")).toHaveLength(1);
});

it("code that is silent keeps nobody waiting who wants the task at once, nor a stream's first byte", async () => {
  const begun = await taskOf(send("silent", { contextId: "silent" }, { returnImmediately: true }));
  expect(begun.status.state).toBe("TASK_STATE_WORKING");
  const stream = await knock("/message:stream", said("silent", { contextId: "silent-stream" }));
  const reader = stream.body?.getReader();
  const first = await reader?.read();
  expect(new TextDecoder().decode(first?.value)).toContain("TASK_STATE_WORKING");
  open("silent");
  await reader?.cancel();
});

it("a bare message leaves no task behind, in no list", async () => {
  const answer = await send("replies", { contextId: "bare" });
  expect(answer).toMatchObject({ message: { parts: [{ text: "a bare word" }] } });
  await send("hello", { contextId: "bare" });
  for (const path of ["/tasks?contextId=bare", "/tasks?contextId=bare&pageSize=1"]) {
    const page = await (await knock(path)).json();
    expect(page).toMatchObject({ totalSize: 1, tasks: [{ contextId: "bare" }] });
  }
  await evictDurableObject(sessionOf("bare"));
  expect(await (await knock("/tasks?contextId=bare")).json()).toMatchObject({ totalSize: 1 });
});

it("a reply after the task was seen is its answer", async () => {
  const task = await taskOf(send("speaks"));
  expect(task.artifacts[0]?.parts[0]?.text).toBe("said after that");
  expect((await get(task.id)).status.state).toBe("TASK_STATE_COMPLETED");
});

it("a call that the code does not wait for ends with it", async () => {
  const task = await taskOf(send("forgets", { contextId: "forgets" }));
  expect(task.artifacts[0]?.parts[0]?.text).toBe("ended");
  const begun = done.includes("began forgets");
  await expect.poll(() => done.includes("aborted forgets")).toBe(begun);
  open("forgets");
  expect(done).not.toContain("did forgets");
  expect((await kindsOf("forgets")).at(-1)).not.toBe("tool_result");
});

it("parts are added to those that an artifact has, whole or not", async () => {
  const { artifacts } = await taskOf(send("appends"));
  expect(artifacts[0]?.parts.map(({ text }) => text)).toEqual(["1", "2", "3"]);
});

it("a command of models is a message like any other", async () => {
  const task = await taskOf(send("/compact the data"));
  expect(task.artifacts[0]?.parts[0]?.text).toBe("You said: /compact the data");
});
