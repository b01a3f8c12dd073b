// Turns: what becomes of a task whose turn ends in a way that nobody planned.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { TaskState } from "@a2a-js/sdk";
import { expect, it } from "vitest";
import { LiveTask } from "#shared/agent/session/tasks/live-task.ts";
import { Slots } from "#shared/agent/slots.ts";
import { SessionStore } from "#shared/agent/session/tasks/store.ts";
import { newTaskTrace } from "#shared/agent/session/tasks/task-trace.ts";
import { Turns, type TurnHost } from "#shared/agent/session/turns/turns.ts";
import { approvalOf } from "./asking.ts";

const { TASK_STATE_CANCELED, TASK_STATE_FAILED, TASK_STATE_INPUT_REQUIRED, TASK_STATE_WORKING } = TaskState;

/** A task of an object of its own, worked on by this host; resolves to how it ended, and what the host was told. */
async function ended(name: string, host: Partial<TurnHost>, cancel = false) {
  return runInDurableObject(env.SCRATCH.getByName(name), async (_, { storage }) => {
    const store = new SessionStore(storage.sql);
    const told: unknown[] = [];
    const turns = new Turns(store, {
      slot: (live) => new Slots(1).begin(name, live.signal),
      keepAlive: () => {},
      run: async () => Promise.reject(new Error("a bug")),
      denyAll: (_row, why) => void told.push(why),
      changed: () => {},
      bug: (_live, error) => void told.push(error),
      storageFailed: (error) => void told.push(error),
      ...host,
    });
    const row = store.createTask({
      contextId: name,
      state: TASK_STATE_WORKING,
      trace: newTaskTrace(undefined, [], { method: "SendMessage", messageId: "m", isRecorded: false }),
      messageId: "m",
      asker: () => ({ principal: "local", chain: [], query: "q" }),
      first: { kind: "user", text: "hi" },
    });
    const live = new LiveTask("task", row, "hi");
    turns.start(live);
    if (cancel) turns.cancel(live);
    await live.atRest;
    return { told, row: store.task(row) };
  });
}

it("a bug ends the task as failed, and nothing that it left is waited for any more", async () => {
  const { told, row } = await ended("bug", {});
  expect(row).toMatchObject({ state: TASK_STATE_FAILED, problem: "Internal error: a bug" });
  expect(told).toMatchObject([{ message: "a bug" }, { by: "failure", reason: "Internal error: a bug" }]);
});

it("a task ends though what it left cannot be denied", async () => {
  const denyAll = () => {
    throw new Error("another bug");
  };
  const { told, row } = await ended("bugs", { denyAll });
  expect(row).toMatchObject({ state: TASK_STATE_FAILED, problem: "Internal error: a bug" });
  expect(told).toMatchObject([{ message: "a bug" }, { message: "another bug" }]);
});

it("a task that waits for several answers is looked at when the first of them expires", async () => {
  const approvals = [5_000, 3_000, 4_000].map((expiresAt) => approvalOf(`at ${expiresAt}`, expiresAt));
  const { row } = await ended("waits", { run: async () => ({ subtype: "suspended", approvals }) });
  expect(row).toMatchObject({ state: TASK_STATE_INPUT_REQUIRED, wakeAt: 3_000 });
});

it("a task that is canceled before its turn has begun leaves nothing waiting either", async () => {
  const { told, row } = await ended("canceled", {}, true);
  expect(row).toMatchObject({ state: TASK_STATE_CANCELED, problem: "The task was canceled." });
  expect(told).toMatchObject([{ by: "cancel" }]);
});
