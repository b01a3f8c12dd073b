// Turns: what becomes of a task whose turn ends in a way that nobody planned.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { TaskState } from "@a2a-js/sdk";
import { expect, it } from "vitest";
import { LiveTask } from "#shared/agent/session/tasks/live-task.ts";
import { Slots } from "#shared/agent/slots.ts";
import { SessionStore } from "#shared/agent/session/tasks/store.ts";
import { newTaskTrace } from "#shared/agent/session/tasks/task-trace.ts";
import { Turns, type Runner } from "#shared/agent/session/turns/turns.ts";
import type { Approvals } from "#shared/agent/session/approvals/approvals.ts";
import { Tasks } from "#shared/agent/session/tasks/tasks.ts";
import type { AgentDefinition } from "#shared/agent/definition.ts";
import { Alarm } from "#shared/durable/alarm.ts";
import { AGENT, approvalOf } from "./asking.ts";

const NOTHING_KEPT = { history: () => [], artifacts: () => [] };

const { TASK_STATE_CANCELED, TASK_STATE_FAILED, TASK_STATE_INPUT_REQUIRED, TASK_STATE_WORKING } = TaskState;

const DEFINITION: AgentDefinition = { name: "t", description: "t", instructions: "t", skills: [], tools: [] };

type Doubles = Partial<Runner> & Partial<Pick<Approvals, "denyAll">>;

/** Writes down what it is told instead of logging and reporting it. */
class NotingTasks extends Tasks {
  readonly noted: unknown[] = [];
  override changed(): void {}
  override bug(_live: LiveTask, error: unknown): void {
    this.noted.push(error);
  }
}

/** A task of an object of its own, with these doubles; resolves to how it ended, and what was noted. */
async function ended(name: string, doubles: Doubles, cancel = false) {
  return runInDurableObject(env.SCRATCH.getByName(name), async (_, ctx) => {
    const store = new SessionStore(ctx.storage.sql);
    const alarm = new Alarm(ctx.storage);
    const tasks = new NotingTasks({ ctx, env: { ...env, AGENT }, definition: DEFINITION, store, alarm });
    const told = tasks.noted;
    const runner = {
      slot: async (live: LiveTask) => new Slots(1).begin(name, live.signal),
      run: async () => Promise.reject(new Error("a bug")),
      ...doubles,
    };
    const turns = new Turns(tasks, { denyAll: (_row, why) => void told.push(why), ...doubles }, runner);
    const row = store.createTask({
      contextId: name,
      state: TASK_STATE_WORKING,
      trace: newTaskTrace(undefined, [], { method: "SendMessage", messageId: "m", isRecorded: false }),
      messageId: "m",
      asker: () => ({ principal: "local", chain: [], query: "q" }),
      first: { kind: "user", text: "hi" },
    });
    const live = new LiveTask("task", row, "hi", NOTHING_KEPT);
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
