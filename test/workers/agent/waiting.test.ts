// A task that waits for answers, and what may happen to it meanwhile: some of the answers, two at once, its object's end, its own.
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { TaskState, type Task } from "@a2a-js/sdk";
import { describe, expect, it } from "vitest";
import { dataPart } from "#shared/a2a/message.ts";
import { SessionStore } from "#shared/agent/session/tasks/store.ts";
import { newTaskTrace } from "#shared/agent/session/tasks/task-trace.ts";
import type { Step } from "#shared/loop/log/step.ts";
import { effects } from "../../support/test-agent.ts";
import { answerOf, ask, client, logOf, problemOf, send, waitsFor } from "./client.ts";
import { crash, session } from "./sessions.ts";
import { traceOf } from "./spans.ts";
import { amend, lastTask, rewrite } from "./stored.ts";

const paid = (to: string) => effects.filter((effect) => effect.startsWith(`paid ${to} `)).length;
const stepsOf = async (name: string, kind: Step["kind"]) => (await logOf(name)).filter((step) => step.kind === kind);
const get = async (id: string) => (await client("JSONRPC")).getTask({ tenant: "", id });
const canceledAtPeer = async () => (await env.PEER_OTHER.fetch("https://other/canceled")).json();

/** Has the model ask for something that has to be approved. */
async function paying(name: string): Promise<Task> {
  return send(await client("JSONRPC"), ask(`call pay ${JSON.stringify({ to: name, amount: 5 })}`, name));
}

const bothOf = (...messages: string[]) =>
  `both ${JSON.stringify(messages.map((message) => ({ agent: "other", message })))}`;

async function reply(task: Task, decisions: Readonly<Record<string, "allow" | "deny">>): Promise<Task> {
  const approvals = Object.entries(decisions).map(([id, decision]) => ({ id, decision }));
  return send(await client("JSONRPC"), ask("", "", { taskId: task.id, parts: [dataPart({ approvals })] }));
}

/** What the peer was told in the threads of a session, by the thread's number. */
async function toldPeer(name: string): Promise<Record<string, unknown>> {
  const response = await env.PEER_OTHER.fetch("https://other/messages");
  const messages = await response.json<{ contextId: string; taskId?: string; parts: { data?: unknown }[] }[]>();
  const answers = messages.filter(({ contextId, taskId }) => contextId.startsWith(`${name}~`) && taskId);
  return Object.fromEntries(answers.map(({ contextId, parts }) => [contextId.split(".").at(-1), parts[0]?.data]));
}

describe("two peers that ask at once", () => {
  it("are answered one by one, each with what was said to it, and the task waits on for what is left", async () => {
    const task = await send(await client("JSONRPC"), ask(bothOf("approve p1", "approve p2"), "pair"));
    expect(waitsFor(task)).toEqual(["ap_approve p1", "ap_approve p2"]);
    const next = await reply(task, { "ap_approve p2": "deny" });
    expect([next.status?.state, waitsFor(next)]).toEqual([TaskState.TASK_STATE_INPUT_REQUIRED, ["ap_approve p1"]]);
    await evictDurableObject(session("pair"));
    const done = await reply(task, { "ap_approve p1": "allow" });
    expect(done.status?.state).toBe(TaskState.TASK_STATE_COMPLETED);
    expect(await toldPeer("pair")).toEqual({
      1: { approvals: [{ id: "ap_approve p1", decision: "allow" }] },
      2: { approvals: [{ id: "ap_approve p2", decision: "deny" }] },
    });
  });

  it("expire each at its own time: what is not yet due is not answered with the other", async () => {
    const task = await send(await client("JSONRPC"), ask(bothOf("approve e1", "approve e2"), "due"));
    await rewrite("due", (body) =>
      body.includes('"peer_input"') && body.includes("ap_approve e1")
        ? body.replace(/"expiresAt":\d+/, '"expiresAt":1')
        : body,
    );
    await amend("due", { wakeAt: 1 });
    await evictDurableObject(session("due"));
    await runDurableObjectAlarm(session("due"));
    await expect.poll(async () => waitsFor(await get(task.id))).toEqual(["ap_approve e2"]);
    expect(await stepsOf("due", "approval_answer")).toEqual([
      { kind: "approval_answer", id: "ap_approve e1", decision: "expired", by: "clock" },
    ]);
    const reason = "Nobody approved it in time, which counts as a no.";
    expect(await toldPeer("due")).toEqual({
      1: { approvals: [{ id: "ap_approve e1", decision: "deny", reason }] },
    });
  });
});

it("a tool of the agent's own that asks two things goes on where a peer had asked back, and what was answered is answered again", async () => {
  const text = `call consult ${JSON.stringify({ first: "well", second: "approve depth" })}`;
  const task = await send(await client("JSONRPC"), ask(text, "consult"));
  expect(waitsFor(task)).toEqual(["ap_approve depth"]);
  await evictDurableObject(session("consult"));
  const done = await reply(task, { "ap_approve depth": "allow" });
  const told = 'told {"approvals":[{"id":"ap_approve depth","decision":"allow"}]}';
  expect(answerOf(done)).toMatch(/^done: .* in consult~tester\.1: well \| told /);
  expect(answerOf(done)).toContain(told);
  // 10 for each of its own two model calls, 100 for each of what it asked.
  expect(done.metadata?.["usage"]).toMatchObject({ inputTokens: 220 });
  expect((await traceOf("consult")).filter(({ error }) => error !== undefined)).toEqual([]);
  expect((await stepsOf("consult", "peer_call")).length).toBe(2);
});

describe("an answer", () => {
  it("ends the span of its question, says who gave it, and goes on under a life of its own", async () => {
    const task = await paying("answered");
    await reply(task, { [waitsFor(task)[0] ?? ""]: "allow" });
    const spans = await traceOf("answered");
    const [span, ...others] = spans.filter(({ name }) => name === "approval pay");
    expect([span?.open, others]).toEqual([false, []]);
    expect(span?.get("troupe.approval.decision")).toBe("allow");
    expect(span?.get("troupe.approval.decided_by")).toBe("client");
    expect((await lastTask("answered"))?.life).toMatchObject({ n: 2 });
  });

  it("counts once where two come at once: the second is refused, because nothing is asked any more", async () => {
    const task = await paying("race");
    const [id = ""] = waitsFor(task);
    const both = await Promise.allSettled([reply(task, { [id]: "allow" }), reply(task, { [id]: "deny" })]);
    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    const [, second] = both;
    expect(String(second?.status === "rejected" && second.reason)).toMatch(/asks for no input|has ended/);
    expect(paid("race")).toBe(1);
    expect(await stepsOf("race", "approval_answer")).toMatchObject([{ decision: "allow" }]);
  });

  it("that names another context than its task's is refused, and nothing is decided", async () => {
    const task = await paying("here");
    const a2a = await client("JSONRPC");
    await expect(send(a2a, ask("yes", "elsewhere", { taskId: task.id }))).rejects.toThrow(/belongs to contextId here/);
    expect(paid("here")).toBe(0);
    expect((await send(a2a, ask("yes", "here", { taskId: task.id }))).status?.state).toBe(
      TaskState.TASK_STATE_COMPLETED,
    );
  });
});

describe("a task that waits and ends", () => {
  it("by a cancel leaves nothing waiting: the log says so, its span ends, and no tool_use is without its result", async () => {
    const task = await paying("called-off");
    await (await client("JSONRPC")).cancelTask({ tenant: "", id: task.id, metadata: undefined });
    expect((await logOf("called-off")).slice(-2)).toMatchObject([
      { kind: "approval_answer", decision: "deny", by: "cancel", reason: "The task was canceled." },
      { kind: "tool_result", toolUseId: "toolu_pay", denied: true },
    ]);
    const span = (await traceOf("called-off")).find(({ name }) => name === "approval pay");
    expect([span?.open, span?.get("troupe.approval.decided_by")]).toEqual([false, "cancel"]);
  });

  it("by a cancel tells the peer that asked", async () => {
    const text = `call query_agent ${JSON.stringify({ agent: "other", message: "approve c" })}`;
    const task = await send(await client("JSONRPC"), ask(text, "left"));
    await (await client("JSONRPC")).cancelTask({ tenant: "", id: task.id, metadata: undefined });
    await expect.poll(canceledAtPeer).toContain("left~tester.1.1.task");
  });

  it("because a message had come in its thread when its object was ended, makes room for that when it is back", async () => {
    const task = await paying("followed");
    await runInDurableObject(session("followed"), (_, { storage }) => {
      const about = { method: "SendMessage", messageId: "next", isRecorded: false };
      new SessionStore(storage.sql).createTask({
        contextId: "followed",
        state: TaskState.TASK_STATE_SUBMITTED,
        trace: newTaskTrace(undefined, [], about),
        messageId: "next",
        asker: () => ({ principal: "local", chain: [], query: "q" }),
        first: { kind: "user", text: "say next" },
      });
    });
    await evictDurableObject(session("followed"));
    const next = await send(await client("JSONRPC"), ask("say next", "followed", { messageId: "next" }));
    expect(answerOf(next)).toBe("next");
    const before = await get(task.id);
    expect([before.status?.state, problemOf(before)]).toEqual([
      TaskState.TASK_STATE_CANCELED,
      expect.stringContaining("another message came instead"),
    ]);
    expect(await stepsOf("followed", "approval_answer")).toMatchObject([{ decision: "deny", by: "message" }]);
  });

  it("as poison leaves nothing waiting, here or at peers, whether they ask back or are still asked", async () => {
    const events = (await client("JSONRPC")).sendMessageStream(ask(bothOf("approve poison", "forever"), "poisoned"));
    await events.next();
    await expect.poll(async () => (await stepsOf("poisoned", "peer_input")).length).toBe(1);
    await expect.poll(async () => (await stepsOf("poisoned", "peer_task")).length).toBe(2);
    await amend("poisoned", { life: { n: 11, strikes: 10, steps: 99 } });
    await crash("poisoned");
    await runDurableObjectAlarm(session("poisoned"));
    await expect
      .poll(canceledAtPeer)
      .toEqual(expect.arrayContaining(["poisoned~tester.1.1.task", "poisoned~tester.2.1.task"]));
    expect(await stepsOf("poisoned", "approval_answer")).toMatchObject([{ decision: "deny", by: "failure" }]);
  });
});
