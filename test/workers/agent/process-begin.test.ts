// An agent's process begins: the first /health wakes the sessions that another process left with work, whatever their alarms say.
import { createExecutionContext, runInDurableObject, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { TaskState } from "@a2a-js/sdk";
import { expect, it } from "vitest";
import { flushReports } from "#shared/agent/session-index/reports.ts";
import { testAgent } from "../../support/test-agent.ts";
import { ask, client, logOf, send } from "./client.ts";
import { crash, session } from "./sessions.ts";
import { lastTask, rewrite } from "./stored.ts";

const HOUR_MS = 3_600_000;
const { TASK_STATE_COMPLETED, TASK_STATE_INPUT_REQUIRED, TASK_STATE_WORKING } = TaskState;

const index = env.SESSION_INDEX.getByName("sessions");
/** An isolate is known by its environment: a copy is that of another process. */
const processBegins = () => ({ ...env });

/** What a target does once it has started a process, and status pages do later. Resolves when all that it led to has been done. */
async function health(bindings: typeof env): Promise<void> {
  const ctx = createExecutionContext();
  const response = await testAgent.worker.fetch(new Request("https://tester.test/health"), bindings, ctx);
  expect(response.status).toBe(200);
  await waitOnExecutionContext(ctx);
}

/** A session whose object has ended in the middle of a call that may be repeated, and whose alarm lies an hour ahead. */
async function cutOff(name: string): Promise<void> {
  const events = (await client("JSONRPC")).sendMessageStream(
    ask(`call remind ${JSON.stringify({ text: name })}`, name),
  );
  await events.next();
  await events.return();
  await expect.poll(async () => (await logOf(name)).map(({ kind }) => kind)).toContain("assistant");
  await flushReports();
  await crash(name);
  await runInDurableObject(session(name), (_, { storage }) => storage.setAlarm(Date.now() + HOUR_MS));
}

const stateOf = async (name: string) => (await lastTask(name))?.state;

const indexed = (name: string) =>
  runInDurableObject(index, (_, { storage }) =>
    storage.sql.exec<{ state: number }>("SELECT state FROM task WHERE context_id = ?", name).toArray(),
  );

it("a turn whose alarm is late, since the clock was put back while the process was down, goes on all the same", async () => {
  await cutOff("late");
  expect(await stateOf("late")).toBe(TASK_STATE_WORKING);
  await health(processBegins());
  await expect.poll(() => stateOf("late")).toBe(TASK_STATE_COMPLETED);
});

it("a turn that the index believes to wait for an approval goes on as well: its last report was lost with the process", async () => {
  await cutOff("believed");
  await runInDurableObject(index, (_, { storage }) => {
    storage.sql.exec("UPDATE task SET state = ? WHERE context_id = 'believed'", TASK_STATE_INPUT_REQUIRED);
  });
  await health(processBegins());
  await expect.poll(() => stateOf("believed")).toBe(TASK_STATE_COMPLETED);
});

it("all sessions with work are woken, and those that cannot be read do not keep the others waiting", async () => {
  const names = Array.from({ length: 10 }, (_, n) => `many-${n}`);
  for (const name of names) await cutOff(name);
  const [last = "", ninth = "", ...unreadable] = names.toReversed();
  for (const name of unreadable) {
    await rewrite(name, (body) => body.replace('"asker":{', '"asker":{{'));
    await crash(name);
  }
  await health(processBegins());
  for (const name of [last, ninth]) await expect.poll(() => stateOf(name)).toBe(TASK_STATE_COMPLETED);
});

it("only the first /health in the life of an isolate wakes sessions", async () => {
  const bindings = processBegins();
  await health(bindings);
  await cutOff("left alone");
  await health(bindings);
  expect(await lastTask("left alone")).toMatchObject({ state: TASK_STATE_WORKING, life: { n: 1 } });
});

it("a task that waits for an approval goes on waiting", async () => {
  const task = await send(await client("JSONRPC"), ask('call pay {"to":"waits","amount":1}', "waits"));
  await flushReports();
  await crash("waits");
  await health(processBegins());
  expect(await stateOf("waits")).toBe(TASK_STATE_INPUT_REQUIRED);
  expect(task.status?.state).toBe(TASK_STATE_INPUT_REQUIRED);
});

it("an index that was not told of the end of a task is put right, and nothing runs again", async () => {
  await send(await client("JSONRPC"), ask("say ended", "stale"));
  await flushReports();
  await runInDurableObject(index, (_, { storage }) => {
    storage.sql.exec("UPDATE task SET state = ? WHERE context_id = 'stale'", TASK_STATE_WORKING);
  });
  await crash("stale");
  const before = await logOf("stale");
  await health(processBegins());
  await flushReports();
  expect(await indexed("stale")).toEqual([{ state: TASK_STATE_COMPLETED }]);
  expect(await logOf("stale")).toEqual(before);
});

it("an index that learns late that a task works goes on saying that it has ended", async () => {
  const task = { principal: "local", contextId: "overtaken", n: 1, updatedAt: 1 };
  await index.record([{ ...task, state: TASK_STATE_COMPLETED }]);
  await index.record([{ ...task, state: TASK_STATE_WORKING }]);
  expect(await indexed("overtaken")).toEqual([{ state: TASK_STATE_COMPLETED }]);
});

it("an index that knows of a session which does not is borne", async () => {
  await index.record([{ principal: "local", contextId: "never-was", n: 1, state: TASK_STATE_WORKING, updatedAt: 1 }]);
  await health(processBegins());
  const tables = await runInDurableObject(session("never-was"), (_, { storage }) =>
    storage.sql.exec("SELECT name FROM sqlite_schema WHERE name = 'entry'").toArray(),
  );
  expect(tables).toEqual([]);
});

it("an agent that has had no task yet gets no tables by it", async () => {
  const fresh = env.SESSION_INDEX.getByName("fresh");
  await fresh.wakeSessions();
  const tables = await runInDurableObject(fresh, (_, { storage }) =>
    storage.sql.exec("SELECT name FROM sqlite_schema WHERE name = 'task'").toArray(),
  );
  expect(tables).toEqual([]);
});
