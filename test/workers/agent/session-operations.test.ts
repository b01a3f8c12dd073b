// What the command line that deployed an agent may do with its sessions: list, read, copy and delete them.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { TaskState } from "@a2a-js/sdk";
import { expect, it } from "vitest";
import type { CopiedThread, DeletedSession, SessionsPage, TurnsPage } from "#shared/control-plane/sessions.ts";
import type { Step } from "#shared/loop/log/step.ts";
import { answerOf, ask, client, knock, logOf, post, send, waitsFor } from "./client.ts";
import { deleteSession } from "#shared/agent/delete-session.ts";
import { sessionIndexStub } from "#shared/agent/env.ts";
import { testAgent } from "../../support/test-agent.ts";
import { AGENT } from "./asking.ts";
import { operate, operated } from "./operator.ts";
import { config, receiver } from "./pushing.ts";
import { begin, crash, session } from "./sessions.ts";
import { storedTasks } from "./stored.ts";

const call = (tool: string, input: object) => `call ${tool} ${JSON.stringify(input)}`;
const say = async (text: string, name: string) => send(await client("JSONRPC"), ask(text, name));
const turns = async (name: string, more: object = {}) => operated<TurnsPage>("turns", { session: name, ...more });
const copy = async (name: string, to: string, more: object = {}) =>
  operated<CopiedThread>("copy", { session: name, contextId: name, to, turns: [1], lost: [], ...more });
const remove = async (name: string) => operated<DeletedSession>("delete", { session: name });

async function listed(name: string) {
  const { sessions } = await operated<SessionsPage>("list", {});
  return sessions.find((part) => part.session === name);
}

it("only the command line's own token opens the operations: for everybody else there are none", async () => {
  await say("say hi", "closed");
  const body = { principal: "local", session: "closed" };
  expect((await post("/sessions/delete", body)).status).toBe(404);
  expect((await operate("delete", body, { from: "other", chain: ["other"] })).status).toBe(404);
  expect((await operate("delete", body, { from: "tester", chain: ["tester"] })).status).toBe(404);
  expect((await knock("/sessions/list")).status).toBe(404);
  expect((await operate("unknown", body)).status).toBe(404);
  expect((await operate("delete", { session: "" })).status).toBe(400);
  expect((await operate("list", { pageToken: "!" })).status).toBe(400);
  expect(await storedTasks("closed")).toHaveLength(1);
});

it("the list counts turns by state, and says what became of the last", async () => {
  await say("say one", "counted");
  await say("say two", "counted");
  await say(call("pay", { to: "counted", amount: 1 }), "counted");
  expect(await listed("counted")).toMatchObject({
    turns: 3,
    ownTurns: 3,
    working: 0,
    waiting: 1,
    lastState: "TASK_STATE_INPUT_REQUIRED",
  });
});

it("the list has sessions that were answered by bare messages, and counts those of other accounts", async () => {
  const row = { n: 1, state: TaskState.TASK_STATE_COMPLETED, updatedAt: Date.now() };
  await sessionIndexStub(env).record([
    { ...row, principal: "local", contextId: "bare", isHidden: true },
    { ...row, principal: "ada", contextId: "hers" },
    { ...row, principal: "ada", contextId: "hers~tester.1" },
  ]);
  const { sessions, ofOthers } = await operated<SessionsPage>("list", {});
  expect(ofOthers).toBe(1);
  expect(sessions.find((part) => part.session === "hers")).toBeUndefined();
  expect(await listed("bare")).toMatchObject({ turns: 1, lastState: "TASK_STATE_COMPLETED" });
  const response = await knock("/tasks?pageSize=100", { headers: { "a2a-version": "1.0" } });
  const { tasks } = await response.json<{ tasks: { contextId: string }[] }>();
  expect(tasks.map(({ contextId }) => contextId)).not.toContain("bare");
});

it("turns that are too large for one call are copied in several", async () => {
  await say(`say ${"word ".repeat(100)}`, "large");
  await copyMany("large", 6);
  await runInDurableObject(session("large"), (_, { storage }) =>
    storage.sql.exec(
      "UPDATE entry SET body = json_set(body, '$.content[0].text', hex(zeroblob(900000))) WHERE body LIKE '{\"kind\":\"assistant\"%'",
    ),
  );
  await crash("large");
  expect(await copy("large", "large-copy", { turns: [1, 2, 3, 4, 5, 6] })).toEqual({ turns: 6 });
  expect((await storedTasks("large-copy")).map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 6]);
  const page = await turns("large-copy", { steps: true });
  expect(page.turns.map(({ n }) => n)).toEqual([1, 2, 3, 4]);
  const rest = await turns("large-copy", { steps: true, after: page.next });
  expect(rest.turns.map(({ n }) => n)).toEqual([5, 6]);
});

it("turns are read with what they cost and whom they asked, page by page", async () => {
  for (let n = 1; n <= 3; n++) await say(`say ${n}`, "paged");
  await say(call("query_agent", { agent: "other", message: "dig" }), "paged");
  const page = await turns("paged", { steps: true });
  expect(page).toMatchObject({ total: 4, next: null });
  expect(page.turns.map(({ n, question, state }) => [n, question.slice(0, 4), state])).toEqual([
    [1, "say ", "TASK_STATE_COMPLETED"],
    [2, "say ", "TASK_STATE_COMPLETED"],
    [3, "say ", "TASK_STATE_COMPLETED"],
    [4, "call", "TASK_STATE_COMPLETED"],
  ]);
  expect(page.turns[0]).toMatchObject({ answer: "1", compacted: false, peers: [] });
  expect(page.turns[0]?.usage.outputTokens).toBeGreaterThan(0);
  expect(page.turns[0]?.steps?.map(({ kind }) => kind)).toEqual(["user", "assistant"]);
  expect(page.turns[3]?.peers).toEqual([
    { agent: "other", contextId: "paged~tester.1", thread: 1, messageId: expect.stringMatching(/./) },
  ]);
  expect((await turns("paged", { last: 1 })).turns.map(({ n }) => n)).toEqual([4]);
  expect((await turns("paged", { upTo: 2 })).turns.map(({ n }) => n)).toEqual([1, 2]);
  const messageIds = [page.turns[2]?.messageId];
  expect((await turns("paged", { messageIds })).turns.map(({ n }) => n)).toEqual([3]);
});

it("a long session is read in pages that join without a gap", async () => {
  await say("say first", "long");
  await copyMany("long", 120);
  const seen: number[] = [];
  for (let after: number | null = 0; after !== null;) {
    const page: TurnsPage = await turns("long", { after });
    seen.push(...page.turns.map(({ n }) => n));
    expect(page.turns.length).toBeLessThanOrEqual(50);
    after = page.next;
  }
  expect(seen).toEqual(Array.from({ length: 120 }, (_, index) => index + 1));
});

/** Repeats the session's first turn until it has so many. */
async function copyMany(name: string, most: number): Promise<void> {
  await runInDurableObject(session(name), (_, { storage }) => {
    const { last } = storage.sql.exec<{ last: number }>("SELECT MAX(id) AS last FROM entry").one();
    for (let n = 2; n <= most; n++)
      storage.sql.exec(
        `INSERT INTO entry (id, task, state, at, worked_ms, context_id, n, message_id, body)
         SELECT id + ?1, task + ?1, state, at, worked_ms, context_id, IIF(n IS NULL, NULL, ?2), message_id || ?2, body
         FROM entry WHERE id <= ?3`,
        (n - 1) * last,
        n,
        last,
      );
  });
  await crash(name);
}

it("a deleted session is gone: tasks, push configs, alarm and index; the same name begins anew", async () => {
  const name = "deleted";
  const a2a = await client("JSONRPC");
  const task = await say("say hi", name);
  await a2a.createTaskPushNotificationConfig(config(receiver(name), { taskId: task.id }));
  await say(call("pay", { to: name, amount: 1 }), name);
  expect(await remove(name)).toEqual({ turns: 2 });
  await expect(a2a.getTask({ tenant: "", id: task.id })).rejects.toThrow("was not found");
  expect(await listed(name)).toBeUndefined();
  const left = await runInDurableObject(session(name), async (_, { storage }) => ({
    tables: storage.sql.exec("SELECT name FROM sqlite_schema WHERE name NOT LIKE '\\_cf\\_%' ESCAPE '\\'").toArray(),
    alarm: await storage.getAlarm(),
  }));
  expect(left).toEqual({ tables: [], alarm: null });
  expect(await remove(name)).toEqual({ turns: 0 });

  const anew = await say("say again", name);
  expect(answerOf(anew)).toBe("again");
  expect((await logOf(name)).filter(({ kind }) => kind === "user")).toHaveLength(1);
});

it("a deletion that broke off before the index knew of it is finished by the next", async () => {
  await say("say hi", "broken-off");
  await operated<SessionsPage>("list", {});
  expect(await deleteSession(env, "local", "broken-off")).toBe(true);
  expect(await listed("broken-off")).toMatchObject({ turns: 1 });
  expect(await turns("broken-off")).toEqual({ turns: [], total: 0, next: null });
  expect(await remove("broken-off")).toEqual({ turns: 1 });
  expect(await listed("broken-off")).toBeUndefined();
});

it("deleting a session cancels the turn that runs, and what it has asked other agents", async () => {
  await begin("running", call("query_agent", { agent: "other", message: "forever" }));
  await expect.poll(async () => (await logOf("running")).map(({ kind }) => kind)).toContain("peer_task");
  expect(await remove("running")).toEqual({ turns: 1 });
  expect(await storedTasks("running")).toEqual([]);
  expect(await listed("running")).toBeUndefined();
  const canceled = async () => (await env.PEER_OTHER.fetch("https://other/canceled")).json();
  await expect.poll(canceled).toContain("running~tester.1.1.task");
});

it("a session whose log cannot be read is deleted all the same", async () => {
  await say(call("pay", { to: "x", amount: 1 }), "unreadable");
  await runInDurableObject(session("unreadable"), (_, { storage }) => storage.sql.exec("UPDATE entry SET body = '{'"));
  await crash("unreadable");
  await remove("unreadable");
  expect(await storedTasks("unreadable")).toEqual([]);
});

it("a copy goes on from its turn, and the original does not change", async () => {
  await say("say one", "original");
  await say("say two", "original");
  await say("say three", "original");
  const before = await logOf("original");
  expect(await copy("original", "copied", { turns: [1, 2] })).toEqual({ turns: 2 });
  expect(await listed("copied")).toMatchObject({ turns: 2, ownTurns: 2, lastState: "TASK_STATE_COMPLETED" });
  const page = await turns("copied");
  expect(page.turns.map(({ n, question, answer }) => [n, question, answer])).toEqual([
    [1, "say one", "one"],
    [2, "say two", "two"],
  ]);
  const next = await say("recall", "copied");
  expect(answerOf(next)).toBeTruthy();
  expect((await storedTasks("copied")).map(({ n }) => n)).toEqual([1, 2, 3]);
  expect(await logOf("original")).toEqual(before);
  const [first] = page.turns;
  const read = await (await client("JSONRPC")).getTask({ tenant: "", id: first?.taskId ?? "" });
  expect(read).toMatchObject({ contextId: "copied", status: { state: TaskState.TASK_STATE_COMPLETED } });
});

it("neither running turns nor waiting approvals are copied", async () => {
  await say("say done", "open");
  const waiting = await say(call("pay", { to: "open", amount: 1 }), "open");
  expect(waitsFor(waiting)).toHaveLength(1);
  expect(await copy("open", "without", { turns: [1, 2] })).toEqual({ turns: 1 });
  expect((await storedTasks("without")).map(({ state }) => state)).toEqual([TaskState.TASK_STATE_COMPLETED]);
});

it("a copy's threads at other agents have the copy's name, and the model learns which are gone", async () => {
  await say(call("query_agent", { agent: "other", message: "dig" }), "asking");
  await copy("asking", "forked", { lost: [{ agent: "other", thread: 1 }] });
  const log = await logOf("forked");
  const threads = log.flatMap((step: Step) => ("contextId" in step ? [step.contextId] : []));
  expect(new Set(threads)).toEqual(new Set(["forked~tester.1"]));
  const note = log.at(-1);
  expect(note).toMatchObject({ kind: "note", about: "context" });
  expect(note?.kind === "note" && note.text).toContain("other remembers nothing of it");
  const next = await say("say still here", "forked");
  expect(answerOf(next)).toBe("still here");
});

it("a copy is refused where its session has turns, and within the same session", async () => {
  await say("say one", "taken-from");
  await say("say two", "taken");
  expect(
    (await operate("copy", { session: "taken-from", contextId: "taken-from", to: "taken", turns: [1], lost: [] }))
      .status,
  ).toBe(409);
  expect(
    (await operate("copy", { session: "taken", contextId: "taken", to: "taken~a.1", turns: [1], lost: [] })).status,
  ).toBe(400);
});

it("a session that has expired is deleted by the index's alarm; one that was used, or waits, stays", async () => {
  for (const name of ["expired", "used"]) await say("say hi", name);
  await say(call("pay", { to: "waits", amount: 1 }), "waits");
  await operated<SessionsPage>("list", {});
  const old = await runInDurableObject(sessionIndexStub(env), (_, { storage }) => {
    const names = ["expired", "used", "waits"];
    storage.sql.exec(
      "DELETE FROM task WHERE context_id NOT IN (SELECT value FROM json_each(?))",
      JSON.stringify(names),
    );
    storage.sql.exec("UPDATE task SET updated_at = 1");
    return Date.now();
  });
  // What the index takes for old was used again since.
  await runInDurableObject(session("expired"), (_, { storage }) =>
    storage.sql.exec("UPDATE entry SET at = 1 WHERE at > 1"),
  );
  await crash("expired");
  await runInDurableObject(sessionIndexStub(env), async (_, state) => {
    const own = { ...env, AGENT: { ...AGENT, sessionExpireMs: 3_600_000 } };
    const index = new testAgent.objects.SessionIndex(state, own);
    await index.alarm();
    expect(await state.storage.getAlarm()).toBeGreaterThan(old + 800_000);
    await state.storage.deleteAlarm();
  });
  expect(await storedTasks("expired")).toEqual([]);
  expect(await storedTasks("used")).toHaveLength(1);
  expect(await storedTasks("waits")).toHaveLength(1);
  const { sessions } = await operated<SessionsPage>("list", {});
  expect(sessions.map((part) => part.session).toSorted()).toEqual(["used", "waits"]);
});

it("without the setting, sessions stay for good and the index sets no alarm", async () => {
  await say("say hi", "kept");
  await operated<SessionsPage>("list", {});
  expect(await runInDurableObject(sessionIndexStub(env), (_, { storage }) => storage.getAlarm())).toBeNull();
});
