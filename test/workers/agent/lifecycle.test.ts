// Beacon and Session through their lives: registration, heartbeats, a registry that forgets, eviction with work done and in hand.
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { TaskState } from "@a2a-js/sdk";
import { describe, expect, it, vi } from "vitest";
import { TICK_MS } from "#shared/resilience/stopwatch.ts";
import { answerOf, ask, client, knock, problemOf, send } from "./client.ts";
import { crash, crashObject, session } from "./sessions.ts";

const registryLog = async (path = "/log"): Promise<string[]> =>
  (await env.CONTROL_PLANE.fetch(`https://control-plane${path}`)).json();

describe("the Beacon", () => {
  it("registers when /health first wakes it, then renews by alarm, and registers again when the registry forgot it", async () => {
    const health = await knock("/health");
    expect(await health.json()).toEqual({
      status: "ok",
      job: "tests",
      agent: "tester",
      registered: true,
      turns: { limit: 100, running: 0, waiting: 0 },
      breakers: [],
    });
    const beacon = env.BEACON.getByName("beacon");
    expect(await runDurableObjectAlarm(beacon)).toBe(true);
    expect((await registryLog()).slice(-2)).toEqual(["POST /agents/register", "POST /agents/tester/heartbeat"]);
    await registryLog("/forget");
    expect(await runDurableObjectAlarm(beacon)).toBe(true);
    expect((await registryLog()).slice(-2)).toEqual(["POST /agents/tester/heartbeat", "POST /agents/register"]);
  });

  it("goes on beating after a crash, without anybody's call", async () => {
    await knock("/health");
    await crashObject(env.BEACON.getByName("beacon"));
    const beacon = env.BEACON.getByName("beacon");
    const before = (await registryLog()).length;
    expect(await runDurableObjectAlarm(beacon)).toBe(true);
    expect((await registryLog()).length).toBeGreaterThan(before);
  });
});

describe("a Session that was evicted", () => {
  it("still has its tasks and goes on with its conversation", async () => {
    const a2a = await client("JSONRPC");
    const task = await send(a2a, ask("say before", "evicted"));
    await evictDurableObject(session("evicted"));
    expect(answerOf(await a2a.getTask({ tenant: "", id: task.id }))).toBe("before");
    expect(answerOf(await send(a2a, ask("after", "evicted")))).toBe("3 messages, the last: after");
  });
});

describe("a turn that has ended", () => {
  it("leaves no timer behind that would wake its isolate", async () => {
    const started = vi.spyOn(globalThis, "setTimeout");
    const stopped = vi.spyOn(globalThis, "clearTimeout");
    await send(await client("JSONRPC"), ask('call echo {"text":"tick"}', "timers"));
    const ticks = started.mock.results.filter((_, n) => started.mock.calls[n]?.[1] === TICK_MS);
    const cleared = stopped.mock.calls.map(([id]) => id);
    vi.restoreAllMocks();
    expect(ticks.length).toBeGreaterThan(2);
    expect(ticks.filter(({ value }) => !cleared.includes(value))).toEqual([]);
  });
});

describe("a Session whose storage fails", () => {
  it("tells whoever waits, and serves the next in line", async () => {
    const a2a = await client("JSONRPC");
    await send(a2a, ask("say first", "full"));
    const stub = session("full");
    await runInDurableObject(stub, (_, { storage }) => {
      storage.sql.exec(
        `CREATE TRIGGER full BEFORE INSERT ON entry WHEN NEW.body LIKE '%"answer":"lost"%' BEGIN SELECT RAISE(ABORT, 'disk full'); END`,
      );
    });
    const [lost, next] = await Promise.all([send(a2a, ask("say lost", "full")), send(a2a, ask("say served", "full"))]);
    expect(problemOf(lost)).toMatch(/could not be stored: disk full/);
    expect(answerOf(next)).toBe("served");
    expect((await a2a.getTask({ tenant: "", id: lost.id })).status?.state).toBe(TaskState.TASK_STATE_FAILED);
  });
});

describe("the SessionIndex", () => {
  const LIST = {
    tenant: "",
    contextId: "",
    status: TaskState.TASK_STATE_UNSPECIFIED,
    pageToken: "",
    statusTimestampAfter: undefined,
  };

  it("still lists tasks over all sessions after an eviction", async () => {
    const a2a = await client("JSONRPC");
    const task = await send(a2a, ask("say listed"));
    const list = { ...LIST, status: TaskState.TASK_STATE_COMPLETED, pageSize: 100 };
    expect((await a2a.listTasks(list)).tasks.map(({ id }) => id)).toContain(task.id);
    await evictDurableObject(env.SESSION_INDEX.getByName("sessions"));
    expect((await a2a.listTasks(list)).tasks.map(({ id }) => id)).toContain(task.id);
  });

  const indexed = () =>
    runInDurableObject(env.SESSION_INDEX.getByName("sessions"), (_, { storage }) =>
      storage.sql.exec<{ context_id: string; state: number }>("SELECT context_id, state FROM task").toArray(),
    );

  it("is told of tasks after an object died that was to tell it", async () => {
    const a2a = await client("JSONRPC");
    // Listing sends what waits, so the next task to report is the one that finds itself a messenger.
    await a2a.listTasks({ ...LIST, pageSize: 1 });
    await send(a2a, ask("say dying", "messenger"));
    await crash("messenger");
    const told = { context_id: "after-messenger", state: TaskState.TASK_STATE_COMPLETED };
    const sendAndLook = async () => {
      await send(a2a, ask("say alive", "after-messenger"));
      return indexed();
    };
    await expect.poll(sendAndLook).toContainEqual(told);
  });

  it("learns what became of a task whose object died in mid-turn", async () => {
    const a2a = await client("JSONRPC");
    const stream = a2a.sendMessageStream(ask("hang", "cut-off"));
    const { value } = await stream.next();
    const id = value?.payload?.$case === "task" ? value.payload.value.id : "";
    await expect.poll(indexed).toContainEqual({ context_id: "cut-off", state: TaskState.TASK_STATE_WORKING });
    await crash("cut-off");
    await a2a.cancelTask({ tenant: "", id, metadata: undefined });
    await expect.poll(indexed).toContainEqual({ context_id: "cut-off", state: TaskState.TASK_STATE_CANCELED });
  });
});
