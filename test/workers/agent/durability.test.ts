// Turns that outlive their object: whatever ends it in mid-turn, the next life goes on from the log, by itself, and does nothing twice
// that may not be done twice. Whatever the clock does, too.
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { TaskState, type StreamResponse, type Task } from "@a2a-js/sdk";
import { afterEach, describe, expect, it, vi } from "vitest";
import { textOfParts } from "../../../shared/a2a/message.ts";
import { TICK_MS } from "#shared/resilience/stopwatch.ts";
import { effects, endings } from "../../support/test-agent.ts";
import { answerOf, ask, client, logOf, problemOf, send } from "./client.ts";
import { begin, crash, session } from "./sessions.ts";
import { lastTask } from "./stored.ts";

const HOUR_MS = 3_600_000;

const kindsOf = async (name: string) => (await logOf(name)).map(({ kind }) => kind);
const done = (beginning: string) => effects.filter((effect) => effect.startsWith(beginning));

async function taskOf(id: string): Promise<Task> {
  return (await client("JSONRPC")).getTask({ tenant: "", id });
}

/** The task as its row has it: asking the object would make it take the task up. */
async function stateOf(name: string): Promise<number | undefined> {
  return (await lastTask(name))?.state;
}

async function livesOf(name: string): Promise<number | undefined> {
  return (await lastTask(name))?.life.n;
}

/** The alarm lies an hour ahead, as when the clock was put back. */
async function ringLate(name: string): Promise<void> {
  await runInDurableObject(session(name), (_, { storage }) => storage.setAlarm(Date.now() + HOUR_MS));
}

async function endOf(name: string, id: string): Promise<Task> {
  await expect.poll(() => stateOf(name)).toBeGreaterThan(2);
  return taskOf(id);
}

/** Puts together what was streamed, as a client has to. */
function takeIn(whole: string, { payload }: StreamResponse): string {
  if (payload?.$case === "task") return answerOf(payload.value);
  if (payload?.$case !== "artifactUpdate") return whole;
  const text = textOfParts(payload.value.artifact?.parts);
  return payload.value.append ? whole + text : text;
}

afterEach(() => void vi.useRealTimers());

describe("a turn whose object ends in the middle of it", () => {
  it("is gone on with by the alarm alone, and ends; a call that may be repeated is, under the same key", async () => {
    const id = await begin("alarm", 'call remind {"text":"alarm"}');
    await expect.poll(() => done("reminded alarm").length).toBe(1);
    await crash("alarm");
    expect(await runDurableObjectAlarm(session("alarm"))).toBe(true);
    const task = await endOf("alarm", id);
    expect([task.status?.state, answerOf(task)]).toEqual([TaskState.TASK_STATE_COMPLETED, "done: Reminded."]);
    const [first, second, ...more] = done("reminded alarm");
    expect([second, more]).toEqual([first, []]);
    expect(await kindsOf("alarm")).toEqual(["user", "assistant", "tool_result", "assistant"]);
  });

  it("does not run a call again that may not be repeated, and tells the model that it was cut off", async () => {
    const id = await begin("once", 'call post {"text":"once","hang":true}');
    await expect.poll(() => done("posted once").length).toBe(1);
    await crash("once");
    expect(await runDurableObjectAlarm(session("once"))).toBe(true);
    const task = await endOf("once", id);
    expect(task.status?.state).toBe(TaskState.TASK_STATE_COMPLETED);
    expect(answerOf(task)).toMatch(/cut off before it returned/);
    expect(done("posted once")).toHaveLength(1);
    expect(await kindsOf("once")).toEqual(["user", "assistant", "tool_start", "tool_result", "assistant"]);
  });

  it("keeps what a tool returned that may run again, though its model has not answered yet", async () => {
    await begin("kept", 'call echo {"text":"hang"}');
    await expect.poll(() => kindsOf("kept")).toEqual(["user", "assistant", "tool_result"]);
    await crash("kept");
    expect(await runDurableObjectAlarm(session("kept"))).toBe(true);
    await expect.poll(() => livesOf("kept")).toBe(2);
    expect((await kindsOf("kept")).filter((kind) => kind === "tool_result")).toHaveLength(1);
  });

  it("asks its model again when it ends in a model call", async () => {
    const id = await begin("model", "drip one two three four five six");
    await expect.poll(() => kindsOf("model")).toEqual(["user"]);
    await crash("model");
    expect(await runDurableObjectAlarm(session("model"))).toBe(true);
    expect(answerOf(await endOf("model", id))).toBe("one two three four five six");
    expect(await kindsOf("model")).toEqual(["user", "model_cut", "assistant"]);
  });

  it("outlives its object: whoever asks for it next makes it go on", async () => {
    const id = await begin("outlived", "drip one two three four five six");
    await expect.poll(() => kindsOf("outlived")).toEqual(["user"]);
    await crash("outlived");
    await ringLate("outlived");
    expect((await taskOf(id)).status?.state).toBe(TaskState.TASK_STATE_WORKING);
    expect(answerOf(await endOf("outlived", id))).toBe("one two three four five six");
    expect([await kindsOf("outlived"), await livesOf("outlived")]).toEqual([["user", "model_cut", "assistant"], 2]);
  });

  it("ends as failed, and says why, when it ends its object ten times at the same step", async () => {
    const id = await begin("poison", "hang");
    for (let life = 1; life <= 10; life++) {
      await expect.poll(() => stateOf("poison")).toBe(TaskState.TASK_STATE_WORKING);
      await crash("poison");
      expect(await runDurableObjectAlarm(session("poison"))).toBe(true);
    }
    const task = await endOf("poison", id);
    expect(task.status?.state).toBe(TaskState.TASK_STATE_FAILED);
    expect(problemOf(task)).toMatch(/stopped 10 times at the same step/);
    const next = await send(await client("JSONRPC"), ask("say fine", "poison"));
    expect(answerOf(next)).toBe("fine");
  });

  it("counts its lives also when each of them ends its object before anything else is written", async () => {
    const name = "at once";
    await begin(name, "hang");
    await expect.poll(() => kindsOf(name)).toEqual(["user"]);
    const ending = { end: () => {}, count: 0 };
    endings.set(JSON.stringify(["local", name]), ending);
    await crash(name);
    const wakeAndLook = async () => {
      await session(name)
        .wake([])
        .catch(() => undefined);
      return stateOf(name).catch(() => undefined);
    };
    await expect.poll(wakeAndLook, { timeout: 10_000 }).toBe(TaskState.TASK_STATE_FAILED);
    expect(ending.count).toBe(9);
  });

  it("shows who subscribes to it afterwards the whole answer in order, and nothing of the life before", async () => {
    const words = "one two three four five six seven eight nine ten";
    const a2a = await client("JSONRPC");
    let [seen, id] = ["", ""];
    for await (const event of a2a.sendMessageStream(ask(`drip ${words}`, "watched"))) {
      if (event.payload?.$case === "task") id = event.payload.value.id;
      seen = takeIn(seen, event);
      if (seen.includes("three")) break;
    }
    await crash("watched");
    let [whole, streamed, restarts] = ["", "", 0];
    for await (const event of a2a.resubscribeTask({ tenant: "", id })) {
      const piece = event.payload?.$case === "artifactUpdate" ? event.payload.value : undefined;
      if (piece?.lastChunk) streamed = whole;
      else if (piece && !piece.append) restarts++;
      whole = takeIn(whole, event);
    }
    expect([streamed, whole]).toEqual([words, words]);
    expect(restarts).toBe(1);
    expect(answerOf(await taskOf(id))).toBe(words);
  });
});

describe("a clock that jumps", () => {
  const jump = (ms: number) => {
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + ms);
  };

  it.each([
    ["forward", HOUR_MS],
    ["back", -HOUR_MS],
  ])("%s by an hour in mid-turn changes nothing about its end", async (way, ms) => {
    const name = `turn-${way}`;
    const id = await begin(name, "drip one two three four five six");
    await expect.poll(() => kindsOf(name)).toEqual(["user"]);
    jump(ms);
    expect(answerOf(await endOf(name, id))).toBe("one two three four five six");
  });

  it.each([
    ["forward", HOUR_MS],
    ["back", -HOUR_MS],
  ])("%s by an hour before a turn's steps costs it no wall time, also in its next life", async (way, ms) => {
    const name = `life-${way}`;
    const id = await begin(name, `call post ${JSON.stringify({ text: name, hang: true })}`);
    jump(ms);
    await expect.poll(() => kindsOf(name)).toEqual(["user", "assistant", "tool_start"]);
    await crash(name);
    await runDurableObjectAlarm(session(name));
    const task = await endOf(name, id);
    expect([problemOf(task), task.status?.state]).toEqual(["", TaskState.TASK_STATE_COMPLETED]);
    expect(done(`posted ${name}`)).toHaveLength(1);
  });

  it("forward by less than a turn may take adds no more than a tick to what it has worked", async () => {
    const id = await begin("worked", "drip one two three four five six");
    jump(50_000);
    await endOf("worked", id);
    const [last] = await runInDurableObject(session("worked"), (_, { storage }) =>
      storage.sql.exec<{ ms: number }>("SELECT MAX(worked_ms) AS ms FROM entry").toArray(),
    );
    expect(last?.ms).toBeGreaterThan(0);
    expect(last?.ms).toBeLessThan(TICK_MS + 2_000);
  });

  const pay = (to: string) => `call pay ${JSON.stringify({ to, amount: 5 })}`;
  const yes = async ({ id }: Task) => send(await client("JSONRPC"), ask("yes", "", { taskId: id }));

  it("back by an hour while an approval waits leaves it waiting, and a yes still counts", async () => {
    const task = await send(await client("JSONRPC"), ask(pay("back"), "wait-back"));
    jump(-HOUR_MS);
    await runDurableObjectAlarm(session("wait-back"));
    expect((await taskOf(task.id)).status?.state).toBe(TaskState.TASK_STATE_INPUT_REQUIRED);
    expect((await yes(task)).status?.state).toBe(TaskState.TASK_STATE_COMPLETED);
    expect(done("paid back ")).toHaveLength(1);
  });

  it("forward by more than it may wait makes an approval expire: a yes after that is refused, and nothing runs", async () => {
    const task = await send(await client("JSONRPC"), ask(pay("forward"), "wait-forward"));
    jump(HOUR_MS + 1_000);
    await expect(yes(task)).rejects.toThrow(/has expired, which counts as a no/);
    await runDurableObjectAlarm(session("wait-forward"));
    expect(answerOf(await endOf("wait-forward", task.id))).toMatch(/in time/);
    expect(done("paid forward ")).toHaveLength(0);
  });
});
