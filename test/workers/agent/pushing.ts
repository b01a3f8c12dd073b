// Push notifications in tests of the test agent: their receivers, and the session's own record of them.
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import type { SendMessageRequest, TaskPushNotificationConfig } from "@a2a-js/sdk";
import { expect } from "vitest";
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

interface Status {
  readonly state: string;
}
interface Event {
  readonly task?: { readonly status: Status };
  readonly statusUpdate?: { readonly status: Status };
  readonly artifactUpdate?: { readonly artifact: { readonly parts: readonly { readonly text?: string }[] } };
}

function shortOf(body: unknown): string {
  // SAFETY: what does not fit makes a text that no test expects.
  const { task, statusUpdate, artifactUpdate } = body as Event;
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
           WHERE e.context_id = c.context_id AND e.n = c.n AND e.id > c.sent) AS waiting FROM push_config c`,
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
