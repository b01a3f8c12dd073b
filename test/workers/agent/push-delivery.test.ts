// Delivery of push notifications: what is sent, in which order, and what becomes of it where the receiver or the object fails.
import { runInDurableObject } from "cloudflare:test";
import { Message, Role } from "@a2a-js/sdk";
import { expect, it } from "vitest";
import { MOST_EVENTS } from "#shared/agent/session/push/push-notifications.ts";
import { PushStore } from "#shared/agent/session/push/push-store.ts";
import { MOST_TRIES } from "#shared/agent/session/push/back-off.ts";
import { ask, client, send, waitsFor } from "./client.ts";
import { dataPart, textMessage, textPart } from "#shared/a2a/message.ts";
import { artifactStep, wholeArtifact } from "#shared/agent/session/tasks/artifacts.ts";
import { toRecord } from "#shared/text/plain-json.ts";
import {
  answers,
  askWith,
  came,
  change,
  config,
  DEFINITION,
  DONE,
  hears,
  receiver,
  ring,
  stored,
  told,
  withTask,
} from "./pushing.ts";
import { crash, session } from "./sessions.ts";

const alarmOf = (name: string) => runInDurableObject(session(name), (_, { storage }) => storage.getAlarm());
/** All that a task which answers at once tells. */
const WHOLE = (text: string) => ["task WORKING", `artifact ${text}`, "COMPLETED"];

it("a task that begins with a config tells of itself, of its answer and of its end, as A2A says", async () => {
  const url = receiver("whole");
  const push = config(url, { token: "tok", authentication: { scheme: "Bearer", credentials: "secret" } });
  const task = await send(await client("JSONRPC"), askWith(push, "say hello", "push-whole"));
  await hears(url, ...WHOLE("hello"));
  const [first, artifact, end] = await came(url);
  for (const { headers } of [first, artifact, end].flatMap((one) => one ?? []))
    expect(headers).toMatchObject({
      "content-type": "application/a2a+json",
      "x-a2a-notification-token": "tok",
      authorization: "Bearer secret",
    });
  expect(first?.body).toMatchObject({
    task: { id: task.id, contextId: "push-whole", history: [{ role: "ROLE_USER" }] },
  });
  expect(artifact?.body).toMatchObject({ artifactUpdate: { taskId: task.id, lastChunk: true } });
  expect(end?.body).toMatchObject({ statusUpdate: { taskId: task.id, metadata: { usage: { inputTokens: 10 } } } });
  expect(await stored("push-whole")).toMatchObject([{ waiting: 0, tries: 0 }]);
});

it("a config that comes later hears only of what happens then; approvals are among it", async () => {
  const a2a = await client("JSONRPC");
  const [url, late] = [receiver("approval"), receiver("late")];
  const text = `call pay ${JSON.stringify({ to: "push", amount: 1 })}`;
  const task = await send(a2a, askWith(config(url), text, "push-approval", false));
  await hears(url, "task WORKING", "INPUT_REQUIRED");
  const [, asked] = await came(url);
  const [approval = ""] = waitsFor(task);
  expect(JSON.stringify(asked?.body)).toContain(approval);
  const answer = dataPart({ approvals: [{ id: approval, decision: "allow" }] });
  const { message } = ask("", "", { taskId: task.id, parts: [answer] });
  await send(a2a, { ...askWith(config(late), "", "", false), message });
  await hears(late, "WORKING", "artifact done: Paid 1 to push.", "COMPLETED");
  await hears(url, "task WORKING", "INPUT_REQUIRED", ...(await told(late)));
});

it("what an agent's own code gives is told as it is kept, and a bare message as an answer stands for the task", async () => {
  const [url, bare] = [receiver("code"), receiver("bare")];
  const code = { name: "t", description: "t", skills: [], tools: [], run: async () => "unused" };
  await withTask("push-code", code, async ({ tasks, push, row }) => {
    push.open(tasks.live("task", row, "hi").view, push.check(config(url), false));
    const artifact = wholeArtifact({ artifactId: "a", parts: [textPart("report")] });
    tasks.store.append(row, artifactStep(artifact), 0);
    tasks.store.endTask(row, DONE);
    await hears(url, "artifact report", "artifact done", "COMPLETED");
  });
  await withTask("push-bare", code, async ({ tasks, push, row }) => {
    push.open(tasks.live("task", row, "hi").view, push.check(config(bare), false));
    const said = toRecord(Message.toJSON({ ...textMessage(Role.ROLE_USER, "hello"), role: Role.ROLE_AGENT }));
    tasks.store.append(row, { kind: "said", messages: [said] }, 0);
    const result = { subtype: "success", num_turns: 0, permission_denials: [], is_message: true as const };
    tasks.store.endTask(row, { ...DONE, answer: null, result });
    await hears(bare, "message hello");
  });
  expect(await told(url)).toHaveLength(3);
});

it("a message that is sent again adds no second config", async () => {
  const a2a = await client("JSONRPC");
  const url = receiver("again");
  const request = askWith(config(url), "say once", "push-again", false);
  await send(a2a, request);
  await send(a2a, request);
  expect(await stored("push-again")).toHaveLength(1);
  await hears(url, ...WHOLE("once"));
});

it("an event that fails is sent again when the alarm rings, and later ones wait for it, at this receiver alone", async () => {
  const a2a = await client("JSONRPC");
  const [url, other] = [receiver("fails"), receiver("well")];
  await answers(url, { status: 503 });
  const task = await send(
    a2a,
    askWith(config(url, { id: "a" }), 'call pay {"to":"x","amount":1}', "push-fails", false),
  );
  await a2a.createTaskPushNotificationConfig(config(other, { taskId: task.id, id: "b" }));
  await a2a.cancelTask({ tenant: "", id: task.id, metadata: undefined });
  await hears(other, "CANCELED");
  await expect
    .poll(async () => stored("push-fails"))
    .toMatchObject([
      { id: "a", tries: 1, waiting: 3 },
      { id: "b", tries: 0, waiting: 0 },
    ]);
  expect(await told(url)).toEqual(["task WORKING"]);
  const [{ due_at: dueAt } = { due_at: 0 }] = await stored("push-fails");
  expect(dueAt).toBeGreaterThan(Date.now());
  expect(await alarmOf("push-fails")).toBeLessThanOrEqual(dueAt);
  await ring("push-fails");
  await hears(url, "task WORKING", "task WORKING", "INPUT_REQUIRED", "CANCELED");
});

it("a receiver that says when to come again gets nothing before that", async () => {
  const url = receiver("later");
  await answers(url, { status: 429, headers: { "retry-after": "3600" } });
  await send(await client("JSONRPC"), askWith(config(url), "say later", "push-later"));
  await expect.poll(async () => (await stored("push-later"))[0]?.tries).toBe(1);
  expect((await stored("push-later"))[0]?.due_at).toBeGreaterThan(Date.now() + 3_500_000);
});

it(`an event is given up after ${MOST_TRIES} attempts, and then the next one is sent`, async () => {
  const url = receiver("hopeless");
  await answers(url, ...Array.from({ length: MOST_TRIES }, () => ({ status: 500 })));
  await send(await client("JSONRPC"), askWith(config(url), "say on", "push-hopeless"));
  for (let tries = 1; tries < MOST_TRIES; tries++) {
    await expect.poll(async () => (await stored("push-hopeless"))[0]?.tries).toBe(tries);
    await ring("push-hopeless");
  }
  const first = Array.from({ length: MOST_TRIES }, () => "task WORKING");
  await hears(url, ...first, "artifact on", "COMPLETED");
});

it.each([
  ["refuses it", { status: 410 }],
  ["redirects elsewhere", { status: 307, headers: { location: receiver("elsewhere") } }],
])("a receiver that %s does not get that event again, but the next", async (_, answer) => {
  const name = `push-${answer.status}`;
  const url = receiver(name);
  await answers(url, answer);
  await send(await client("JSONRPC"), askWith(config(url), "say go", name));
  await hears(url, ...WHOLE("go"));
  expect(await came(receiver("elsewhere"))).toEqual([]);
});

it("an address that the operator allowed is reached", async () => {
  const url = "http://10.1.2.3:9000/allowed";
  await send(await client("JSONRPC"), askWith(config(url), "say in", "push-allowed"));
  await hears("https://hooks.example/allowed", ...WHOLE("in"));
  expect(await stored("push-allowed")).toMatchObject([{ waiting: 0 }]);
});

it("an address that may not be reached any more gets nothing, whatever was allowed when its config was made", async () => {
  const a2a = await client("JSONRPC");
  const url = receiver("withdrawn");
  const task = await send(a2a, askWith(config(url), `call pay {"to":"w","amount":1}`, "push-withdrawn", false));
  await hears(url, "task WORKING", "INPUT_REQUIRED");
  await change("push-withdrawn", "UPDATE push_config SET url = 'http://169.254.169.254/latest'");
  await a2a.cancelTask({ tenant: "", id: task.id, metadata: undefined });
  // Given up, and nothing waits to be tried again.
  await expect.poll(async () => stored("push-withdrawn")).toMatchObject([{ waiting: 0, tries: 0 }]);
});

it("a config that is deleted or replaced stops what is on its way, and what waits goes to its successor alone", async () => {
  const a2a = await client("JSONRPC");
  const [url, other] = [receiver("stopped"), receiver("successor")];
  await answers(url, "hang");
  const task = await send(a2a, askWith(config(url, { id: "x" }), "say stop", "push-stopped", false));
  await hears(url, "task WORKING");
  await a2a.createTaskPushNotificationConfig(config(other, { taskId: task.id, id: "x" }));
  await hears(other, ...WHOLE("stop"));
  expect(await told(url)).toEqual(["task WORKING"]);

  await answers(url, "hang");
  const next = await send(a2a, askWith(config(url, { id: "x" }), "say more", "push-deleted", false));
  await a2a.deleteTaskPushNotificationConfig({ tenant: "", taskId: next.id, id: "x" });
  expect(await stored("push-deleted")).toEqual([]);
  const left = await runInDurableObject(session("push-deleted"), (_, { storage: { sql } }) =>
    sql.exec("SELECT 1 FROM push_event").toArray(),
  );
  expect(left).toEqual([]);
});

it("an object that ends before it has sent everything sends the rest in its next life, in order", async () => {
  const a2a = await client("JSONRPC");
  const url = receiver("crashed");
  await answers(url, "hang");
  const { id } = await send(a2a, askWith(config(url), "say after all", "push-crashed", false));
  await hears(url, "task WORKING");
  // The alarm, set with the event, brings the next life where nobody asks.
  expect(await alarmOf("push-crashed")).toBeLessThan(Date.now() + 60_000);
  await crash("push-crashed");
  await a2a.getTask({ tenant: "", id });
  await hears(url, "task WORKING", ...WHOLE("after all"));
});

it("an event of more than a row holds is left to GetTask, and the next is told all the same", async () => {
  const url = receiver("large");
  await withTask("push-large", DEFINITION, async ({ tasks, push, row }) => {
    const { view } = tasks.live("task", row, "hi");
    const history = () => [textMessage(Role.ROLE_USER, "ü".repeat(1_000_000))];
    push.open({ ...view, history }, push.check(config(url), false));
    tasks.store.endTask(row, { ...DONE, answer: "ü".repeat(900_000) });
    await expect.poll(async () => (await told(url)).map(({ length }) => length)).toEqual([900_009, 9]);
  });
});

it(`of more than ${MOST_EVENTS} events that wait for a task the oldest are given up, and no number is given twice`, async () => {
  const url = receiver("flood");
  await answers(url, { status: 503 });
  await send(await client("JSONRPC"), askWith(config(url), "say x", "push-flood", false));
  await expect.poll(async () => stored("push-flood")).toMatchObject([{ tries: 1, waiting: 3 }]);
  await runInDurableObject(session("push-flood"), (_, { storage: { sql } }) => {
    const store = new PushStore(sql);
    const flood = Array.from({ length: MOST_EVENTS }, (_, n) => ({
      body: JSON.stringify({ statusUpdate: { status: { state: `${n}` } } }),
      isLegacy: false,
    }));
    expect(store.add({ contextId: "push-flood", n: 1 }, flood, MOST_EVENTS)).toBe(3);
  });
  await ring("push-flood");
  await hears(url, "task WORKING", ...Array.from({ length: MOST_EVENTS }, (_, n) => `${n}`));
});
