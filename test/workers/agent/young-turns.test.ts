// Turns that have no alarm yet: they are watched by a request, where the process's files would name their session after a kill.
import { createExecutionContext, runInDurableObject, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { TaskState } from "@a2a-js/sdk";
import { expect, it } from "vitest";
import { sessionsInMemory } from "#shared/agent/session-index/session-files.ts";
import { effects, testAgent } from "../../support/test-agent.ts";
import { crash, session } from "./sessions.ts";
import { lastTask } from "./stored.ts";

const NO_FILES = { fetch: async () => Response.json([]) };

/** Sends a message to an agent whose process serves its own files; the request may outlive this. */
async function sent(name: string, text: string) {
  const ctx = createExecutionContext();
  const message = { messageId: crypto.randomUUID(), contextId: name, role: "ROLE_USER", parts: [{ text }] };
  const request = new Request("https://tester.test/message:send", {
    method: "POST",
    headers: { "content-type": "application/json", "a2a-version": "1.0" },
    body: JSON.stringify({ message, configuration: { returnImmediately: true } }),
  });
  const ownFiles = { ...env, SESSION_FILES: NO_FILES };
  const SELF = { fetch: async (input: RequestInfo | URL, init?: RequestInit) => fetchSelf(new Request(input, init)) };
  const fetchSelf = async (own: Request) => testAgent.worker.fetch(own, { ...ownFiles, SELF }, ctx);
  const response = await fetchSelf(request);
  expect(response.status).toBe(200);
  return ctx;
}

const alarmOf = (name: string) => runInDurableObject(session(name), (_, { storage }) => storage.getAlarm());
/** Whether the tool has run once: the next time it does not hang. */
const hasReminded = (name: string) => effects.some((effect) => effect.startsWith(`reminded ${name} `));
const stateOf = async (name: string) => (await lastTask(name))?.state;

it("a turn that ends at once sets no alarm", async () => {
  const ctx = await sent("brief", "say hi");
  await expect.poll(() => stateOf("brief")).toBe(TaskState.TASK_STATE_COMPLETED);
  await waitOnExecutionContext(ctx);
  // The agent has SessionEnd hooks, for which it wakes when nobody has said anything for half an hour.
  expect(await alarmOf("brief")).toBeGreaterThan(Date.now() + 60_000);
});

it("a turn that takes longer than a second has a late alarm from then on", async () => {
  await sent("long", "hang");
  await expect.poll(() => alarmOf("long")).toBeGreaterThan(Date.now() + 20_000);
  expect(await stateOf("long")).toBe(TaskState.TASK_STATE_WORKING);
});

it("a turn whose object ends after that resumes within two seconds all the same", async () => {
  const name = "ended-late";
  await sent(name, `call remind ${JSON.stringify({ text: name })}`);
  await expect.poll(() => alarmOf(name)).toBeGreaterThan(Date.now() + 20_000);
  await expect.poll(() => hasReminded(name)).toBe(true);
  await crash(name);
  await expect.poll(() => stateOf(name)).toBe(TaskState.TASK_STATE_COMPLETED);
  expect((await lastTask(name))?.life.n).toBe(2);
});

it("a turn whose object ends before that resumes, though it has no alarm and nobody asks", async () => {
  const name = "ended";
  await sent(name, `call remind ${JSON.stringify({ text: name })}`);
  await expect.poll(() => hasReminded(name)).toBe(true);
  await crash(name);
  await expect.poll(() => stateOf(name)).toBe(TaskState.TASK_STATE_COMPLETED);
  expect((await lastTask(name))?.life.n).toBe(2);
});

it("the sessions that were in memory are those with a write-ahead log, what was written last first", async () => {
  const id = (letter: string) => letter.repeat(64);
  const ages: Record<string, number> = { [id("a")]: 3, [id("b")]: 1, [id("c")]: 2 };
  const names = [...Object.keys(ages).flatMap((each) => [`${each}.sqlite`, `${each}.sqlite-wal`]), `${id("d")}.sqlite`];
  const fetch = async (input: RequestInfo | URL) => {
    const [, file = ""] = new URL(String(input)).pathname.split("/");
    if (file === "") return Response.json([...names, "metadata.sqlite-wal"].map((name) => ({ name, type: "file" })));
    const seconds = 100 - (ages[file.slice(0, 64)] ?? 0);
    return new Response(null, { headers: { "last-modified": new Date(seconds * 1_000).toUTCString() } });
  };
  expect(await sessionsInMemory({ fetch })).toEqual([id("b"), id("c"), id("a")]);
});
