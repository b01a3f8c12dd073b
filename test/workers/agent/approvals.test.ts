// Approvals: a call that has to be asked about waits in the log, and runs only as it was approved, once.
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { TaskState, type Task } from "@a2a-js/sdk";
import { describe, expect, it } from "vitest";
import { dataPart } from "../../../shared/a2a/message.ts";
import { effects } from "../../support/test-agent.ts";
import { answerOf, ask, client, logOf, problemOf, send, waitsFor } from "./client.ts";
import { session } from "./sessions.ts";
import { amend, rewrite } from "./stored.ts";

const pay = (to: string) => `call pay ${JSON.stringify({ to, amount: 5 })}`;
const paid = (to: string) => effects.filter((effect) => effect.startsWith(`paid ${to} `)).length;

async function asked(name: string): Promise<Task> {
  const task = await send(await client("JSONRPC"), ask(pay(name), name));
  expect(task.status?.state).toBe(TaskState.TASK_STATE_INPUT_REQUIRED);
  return task;
}

async function reply(task: Task, text: string, messageId?: string): Promise<Task> {
  return send(await client("HTTP+JSON"), ask(text, "", { taskId: task.id, ...(messageId ? { messageId } : {}) }));
}

describe("a call that has to be approved", () => {
  it("is put to the client with tool, input, agent and reason, and is not run", async () => {
    const task = await asked("question");
    expect(problemOf(task)).toMatch(/pay/);
    const [part] = task.status?.message?.parts.filter(({ content }) => content?.$case === "data") ?? [];
    expect(part?.content?.value).toMatchObject({
      approvals: [{ agent: "tester", tool: "pay", input: { to: "question", amount: 5 }, reason: expect.any(String) }],
    });
    expect(paid("question")).toBe(0);
  });

  it("runs once after a yes, and the task goes on to its end", async () => {
    const task = await asked("yes");
    const done = await reply(task, "yes");
    expect(done.id).toBe(task.id);
    expect(done.status?.state).toBe(TaskState.TASK_STATE_COMPLETED);
    expect(answerOf(done)).toContain("Paid 5 to yes.");
    expect(paid("yes")).toBe(1);
  });

  it("does not run after a no, and the model hears why", async () => {
    const done = await reply(await asked("no"), "no");
    expect(done.status?.state).toBe(TaskState.TASK_STATE_COMPLETED);
    expect(answerOf(done)).toMatch(/said no/);
    expect(done.metadata?.["result"]).toMatchObject({ permissionDenials: [{ toolName: "pay" }] });
    expect(paid("no")).toBe(0);
  });

  it("takes an answer only once: the same message again changes nothing, another one is refused", async () => {
    const task = await asked("once");
    await reply(task, "yes", "answer-1");
    const again = await reply(task, "yes", "answer-1");
    expect(again.status?.state).toBe(TaskState.TASK_STATE_COMPLETED);
    await expect(reply(task, "yes", "answer-2")).rejects.toThrow(/has ended/);
    expect(paid("once")).toBe(1);
  });

  it.each([
    ["all yes", () => true],
    ["all no", () => false],
    ["yes and no", (n: number) => n % 2 === 0],
  ])("is decided by the first of twenty answers that come at once, %s", async (how, isYes) => {
    const name = `race ${how}`;
    const task = await asked(name);
    const [id = ""] = waitsFor(task);
    const answers = Array.from({ length: 20 }, async (_, n) => reply(task, `${isYes(n) ? "allow" : "deny"} ${id}`));
    const settled = await Promise.allSettled(answers);
    const taken = settled.flatMap(({ status }, n) => (status === "fulfilled" ? [n] : []));
    expect(taken).toHaveLength(1);
    expect(paid(name)).toBe(isYes(taken[0] ?? -1) ? 1 : 0);
  });

  it("is not approved by a bare yes when the task was answered before: its sender may never have seen this call", async () => {
    const calls = ["seen", "unseen"].map((to) => ["pay", { to, amount: 5 }]);
    const task = await send(await client("JSONRPC"), ask(`chain ${JSON.stringify(calls)}`, "replayed"));
    const next = await reply(task, "allow");
    expect(next.status?.state).toBe(TaskState.TASK_STATE_INPUT_REQUIRED);
    const [id = ""] = waitsFor(next);
    await expect(reply(task, "allow")).rejects.toThrow(`What waits: ${id} (pay of tester)`);
    expect([paid("seen"), paid("unseen")]).toEqual([1, 0]);
    expect(answerOf(await reply(task, `allow ${id}`))).toContain("Paid 5 to unseen.");
  });

  it("refuses an answer whose message id is known but which says something else", async () => {
    const task = await asked("retold");
    const [id = ""] = waitsFor(task);
    await reply(task, `allow ${id}`, "answer-1");
    for (const other of ["no", `deny ${id}`, "no answer at all", `allow ${id}x`])
      await expect(reply(task, other, "answer-1")).rejects.toThrow(/messageId answer-1 was given to another/);
    // It is the answers that count, not their words.
    expect((await reply(task, "yes", "answer-1")).status?.state).toBe(TaskState.TASK_STATE_COMPLETED);
    expect(paid("retold")).toBe(1);
  });

  it("is not approved by words that are no answer, or by an id that was changed", async () => {
    const task = await asked("forged");
    await expect(reply(task, "yes please, whatever")).rejects.toThrow(/no answer|Answer/);
    const [id = ""] = waitsFor(task);
    const forged = `${id.slice(0, -1)}${id.endsWith("A") ? "B" : "A"}`;
    await expect(reply(task, `allow ${forged}`)).rejects.toThrow(/waits/);
    const parts = [dataPart({ approvals: [{ id: forged, decision: "allow" }] })];
    await expect(send(await client("JSONRPC"), ask("x", "", { taskId: task.id, parts }))).rejects.toThrow(/waits/);
    expect(paid("forged")).toBe(0);
    expect(answerOf(await reply(task, `allow ${id}`))).toContain("Paid");
  });

  it("is void when one byte of its input has changed since", async () => {
    const task = await asked("changed");
    await rewrite("changed", (body) =>
      body.includes('"approval"') ? body.replaceAll('"amount":5', '"amount":6') : body,
    );
    await evictDurableObject(session("changed"));
    const done = await reply(task, "yes");
    expect(answerOf(done)).toMatch(/void/);
    expect(paid("changed")).toBe(0);
  });

  it("survives the end of its object, and can be watched while it waits", async () => {
    const task = await asked("evicted");
    await evictDurableObject(session("evicted"));
    const a2a = await client("JSONRPC");
    expect((await a2a.getTask({ tenant: "", id: task.id })).status?.state).toBe(TaskState.TASK_STATE_INPUT_REQUIRED);
    const states: unknown[] = [];
    const watching = (async () => {
      for await (const { payload } of a2a.resubscribeTask({ tenant: "", id: task.id })) {
        if (payload?.$case === "task" || payload?.$case === "statusUpdate") states.push(payload.value.status?.state);
      }
    })();
    await expect.poll(() => states).toEqual([TaskState.TASK_STATE_INPUT_REQUIRED]);
    await reply(task, "yes");
    await watching;
    expect(states).toEqual([
      TaskState.TASK_STATE_INPUT_REQUIRED,
      TaskState.TASK_STATE_WORKING,
      TaskState.TASK_STATE_COMPLETED,
    ]);
    expect(paid("evicted")).toBe(1);
  });

  it("expires: no answer means no", async () => {
    const task = await asked("late");
    await rewrite("late", (body) =>
      body.startsWith('{"kind":"approval"') ? body.replace(/"expiresAt":\d+/, '"expiresAt":1') : body,
    );
    await amend("late", { wakeAt: 1 });
    await evictDurableObject(session("late"));
    await runDurableObjectAlarm(session("late"));
    const a2a = await client("JSONRPC");
    const state = async () => (await a2a.getTask({ tenant: "", id: task.id })).status?.state;
    await expect.poll(state).toBe(TaskState.TASK_STATE_COMPLETED);
    expect(answerOf(await a2a.getTask({ tenant: "", id: task.id }))).toMatch(/in time/);
    expect(paid("late")).toBe(0);
  });

  it("is denied by another message of the thread, which runs next; no tool_use stays without its result", async () => {
    const task = await asked("overtaken");
    const a2a = await client("JSONRPC");
    const next = await send(a2a, ask("say next", "overtaken"));
    expect(answerOf(next)).toBe("next");
    const before = await a2a.getTask({ tenant: "", id: task.id });
    expect(before.status?.state).toBe(TaskState.TASK_STATE_CANCELED);
    expect(problemOf(before)).toMatch(/another message/);
    expect((await logOf("overtaken")).map(({ kind }) => kind)).toEqual([
      "user",
      "assistant",
      "approval",
      "approval_answer",
      "tool_result",
      "user",
      "assistant",
    ]);
    await expect(reply(task, "yes")).rejects.toThrow(/has ended/);
    expect(paid("overtaken")).toBe(0);
  });

  it("is denied as well by a message that waited in line when the question came", async () => {
    const a2a = await client("JSONRPC");
    const [first, second] = await Promise.all([
      send(a2a, ask(pay("queue"), "queue")),
      send(a2a, ask("say second", "queue")),
    ]);
    expect(first.status?.state).toBe(TaskState.TASK_STATE_CANCELED);
    expect(answerOf(second)).toBe("second");
    expect(paid("queue")).toBe(0);
  });

  it("ends with its task when that is canceled", async () => {
    const task = await asked("canceled");
    const a2a = await client("JSONRPC");
    const canceled = await a2a.cancelTask({ tenant: "", id: task.id, metadata: undefined });
    expect(canceled.status?.state).toBe(TaskState.TASK_STATE_CANCELED);
    expect(answerOf(await send(a2a, ask("say fine", "canceled")))).toBe("fine");
  });
});

describe("a message that comes twice", () => {
  it("leads to the task that it opened, running or ended, and runs nothing again", async () => {
    const a2a = await client("JSONRPC");
    const message = { messageId: "same" };
    const text = 'call post {"text":"twice"}';
    const [one, two] = await Promise.all([
      send(a2a, ask(text, "twice", message)),
      send(a2a, ask(text, "twice", message)),
    ]);
    expect(two.id).toBe(one.id);
    await evictDurableObject(session("twice"));
    const three = await send(a2a, ask(text, "twice", message));
    expect(three).toEqual(two);
    expect(effects.filter((effect) => effect === "posted twice")).toHaveLength(1);
  });

  it("is refused when it says something else the second time", async () => {
    const a2a = await client("JSONRPC");
    await send(a2a, ask("say one", "reused", { messageId: "m" }));
    await expect(send(a2a, ask("say two", "reused", { messageId: "m" }))).rejects.toThrow(/an id of its own/);
  });
});

describe("a peer that asks back", () => {
  const query = (text: string) => `call query_agent ${JSON.stringify({ agent: "other", message: text })}`;
  const heard = async (text: string) => {
    const messages = await (
      await env.PEER_OTHER.fetch("https://other/messages")
    ).json<{ contextId: string; messageId: string; taskId?: string; text?: string; parts: { data?: unknown }[] }[]>();
    return messages.filter(({ contextId }) => contextId.startsWith(`${text}~`));
  };

  it("puts its question to the client, and gets the answer that the client gives", async () => {
    const a2a = await client("JSONRPC");
    const task = await send(a2a, ask(query("approve up"), "up"));
    expect(task.status?.state).toBe(TaskState.TASK_STATE_INPUT_REQUIRED);
    expect(waitsFor(task)).toEqual(["ap_approve up"]);
    await evictDurableObject(session("up"));
    const parts = [dataPart({ approvals: [{ id: "ap_approve up", decision: "allow" }] })];
    const done = await send(a2a, ask("x", "", { taskId: task.id, parts }));
    expect(answerOf(done)).toContain('told {"approvals":[{"id":"ap_approve up","decision":"allow"}]}');
    const [question, answer, ...more] = await heard("up");
    expect(more).toEqual([]);
    expect(answer?.taskId).toBe("up~tester.1.1.task");
    expect(answer?.messageId).not.toBe(question?.messageId);
    expect(done.metadata?.["usage"]).toMatchObject({ inputTokens: 120 });
  });

  it("is told to cancel its task when another message comes instead of an answer", async () => {
    const a2a = await client("JSONRPC");
    await send(a2a, ask(query("approve over"), "over"));
    expect(answerOf(await send(a2a, ask("say next", "over")))).toBe("next");
    const canceled = async () => (await env.PEER_OTHER.fetch("https://other/canceled")).json();
    await expect.poll(canceled).toContain("over~tester.1.1.task");
  });
});

describe("an answer that reaches a peer too late", () => {
  it("is not taken for the end of the peer's task: the question is repeated, and shows where that stands", async () => {
    const a2a = await client("JSONRPC");
    const text = `call query_agent ${JSON.stringify({ agent: "other", message: "approve late" })}`;
    const task = await send(a2a, ask(text, "late"));
    const done = await send(a2a, ask("yes", "", { taskId: task.id }));
    expect(answerOf(done)).toContain("in late~tester.1: approve late");
    const canceled = await env.PEER_OTHER.fetch("https://other/canceled");
    expect(await canceled.json()).not.toContain("late~tester.1.1.task");
  });
});

describe("a session in which nobody says anything any more", () => {
  it("ends for its hooks, once, and the next message resumes it", async () => {
    const a2a = await client("JSONRPC");
    await send(a2a, ask("say hello", "idle"));
    const ends = () => effects.filter((effect) => effect.endsWith(" idle"));
    expect(ends()).toEqual(["startup idle"]);
    for (let time = 0; time < 2; time++) {
      await runInDurableObject(session("idle"), (_, { storage }) => storage.sql.exec("UPDATE entry SET at = 1"));
      await evictDurableObject(session("idle"));
      await runInDurableObject(session("idle"), (_, { storage }) => storage.setAlarm(Date.now()));
      await runDurableObjectAlarm(session("idle"));
    }
    expect(ends()).toEqual(["startup idle", "end idle"]);
    await send(a2a, ask("say again", "idle"));
    expect(ends()).toEqual(["startup idle", "end idle", "resume idle"]);
  });
});
