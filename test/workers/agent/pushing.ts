// Push notifications in tests of the test agent: their receivers, and the session's own record of them.
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { TaskState, type SendMessageRequest, type TaskPushNotificationConfig } from "@a2a-js/sdk";
import { expect } from "vitest";
import type { AgentDefinition } from "#shared/agent/definition.ts";
import { PushNotifications } from "#shared/agent/session/push/push-notifications.ts";
import { SessionStore } from "#shared/agent/session/tasks/store.ts";
import type { TaskRow } from "#shared/agent/session/tasks/task-row.ts";
import { newTaskTrace } from "#shared/agent/session/tasks/task-trace.ts";
import { Tasks } from "#shared/agent/session/tasks/tasks.ts";
import { Alarm } from "#shared/durable/alarm.ts";
import type { Answer, Came } from "../../support/push-receivers.ts";
import { ask } from "./client.ts";
import { session } from "./sessions.ts";

/** A public receiver that nobody else uses. */
export const receiver = (name: string) => `https://hooks.example/${name}`;

export function config(url: string, more: Partial<TaskPushNotificationConfig> = {}): TaskPushNotificationConfig {
  return { tenant: "", id: "", taskId: "", url, token: "", authentication: undefined, ...more };
}

/** A message whose task tells these addresses of its changes. */
export function askWith(
  push: TaskPushNotificationConfig,
  text: string,
  contextId: string,
  returnImmediately = true,
): SendMessageRequest {
  const configuration = { acceptedOutputModes: [], taskPushNotificationConfig: push, returnImmediately };
  return { ...ask(text, contextId), configuration };
}

/** How a receiver answers what comes next. */
export async function answers(url: string, ...next: readonly Answer[]): Promise<void> {
  await fetch(url, { method: "PUT", body: JSON.stringify(next) });
}

export async function came(url: string): Promise<Came[]> {
  return (await fetch(url)).json();
}

/** What a receiver has been told, in order: of a task its state, of an artifact its text. */
export async function told(url: string): Promise<string[]> {
  return (await came(url)).map(({ body }) => shortOf(body));
}

/** Waits until a receiver has been told exactly this. */
export async function hears(url: string, ...events: readonly string[]): Promise<void> {
  await expect.poll(async () => told(url)).toEqual(events);
}

interface Pushing {
  readonly tasks: Tasks;
  readonly push: PushNotifications;
  readonly row: TaskRow;
  readonly storage: DurableObjectStorage;
}

export const DEFINITION: AgentDefinition = {
  name: "t",
  description: "t",
  instructions: "t",
  skills: [],
  tools: [],
};

/** A task at work in an object of its own, without turns. */
export async function withTask(
  name: string,
  definition: AgentDefinition,
  work: (parts: Pushing) => Promise<void>,
): Promise<void> {
  await runInDurableObject(env.SCRATCH.getByName(name), async (_, ctx) => {
    const { storage } = ctx;
    const [store, alarm] = [new SessionStore(storage.sql), new Alarm(storage)];
    const tasks = new Tasks({ ctx, env, definition, store, alarm });
    const push = new PushNotifications(tasks, storage.sql);
    const row = store.createTask({
      contextId: name,
      state: TaskState.TASK_STATE_WORKING,
      trace: newTaskTrace(undefined, [], { method: "SendMessage", messageId: "m", isRecorded: false }),
      messageId: "m",
      asker: () => ({ principal: "local", chain: [], query: "q" }),
      first: { kind: "user", text: "hi" },
    });
    await work({ tasks, push, row, storage });
  });
}

/** How a task ends. */
export const DONE = {
  state: TaskState.TASK_STATE_COMPLETED,
  answer: "done",
  problem: null,
  usage: null,
  result: null,
} as const;

interface Status {
  readonly state: string;
}
interface Event {
  readonly task?: { readonly status: Status };
  readonly statusUpdate?: { readonly status: Status };
  readonly message?: { readonly parts: readonly { readonly text?: string }[] };
  readonly artifactUpdate?: { readonly artifact: { readonly parts: readonly { readonly text?: string }[] } };
}

function shortOf(body: unknown): string {
  // SAFETY: what does not fit makes a text that no test expects.
  const { task, statusUpdate, artifactUpdate, message } = body as Event;
  if (message) return `message ${message.parts.map((part) => part.text).join("")}`;
  const text = artifactUpdate?.artifact.parts.map((part) => part.text).join("");
  const state = (task ?? statusUpdate)?.status.state.replace("TASK_STATE_", "");
  return task ? `task ${state}` : (state ?? `artifact ${text}`);
}

/** The configs of a session, with what they wait for. */
export async function stored(name: string): Promise<{ id: string; tries: number; due_at: number; waiting: number }[]> {
  return runInDurableObject(session(name), (_, { storage: { sql } }) =>
    sql
      .exec<{ id: string; tries: number; due_at: number; waiting: number }>(
        `SELECT id, tries, due_at, (SELECT COUNT(*) FROM push_event e
           WHERE e.context_id = c.context_id AND e.n = c.n AND e.id > c.sent AND e.legacy = c.legacy) AS waiting FROM push_config c`,
      )
      .toArray(),
  );
}

export async function change(name: string, query: string): Promise<void> {
  await runInDurableObject(session(name), (_, { storage: { sql } }) => void sql.exec(query));
}

/** The time has come to send again. */
export async function ring(name: string): Promise<void> {
  await change(name, "UPDATE push_config SET due_at = 0");
  await runDurableObjectAlarm(session(name));
}
