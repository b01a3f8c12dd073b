// What is sent of a change: its events, or the task that they lead to where the receiver's client speaks A2A 0.3. Pure.
import { StreamResponse } from "@a2a-js/sdk";
import { V03PushNotificationSerializer } from "@a2a-js/sdk/compat/v0_3/server";
import { toTask, type TaskView } from "../tasks/task-view.ts";
import type { StoredEvent } from "./push-store.ts";

export function encodeEvents(events: readonly StreamResponse[]): StoredEvent[] {
  return events.map((event) => ({ body: JSON.stringify(StreamResponse.toJSON(event)), isLegacy: false }));
}

/** The task as it is with the last of these events; the message where that answers instead of a task. */
export function encodeLegacy(view: TaskView, events: readonly StreamResponse[]): StoredEvent {
  const last = events.at(-1) ?? { payload: undefined };
  return { body: new V03PushNotificationSerializer().serialize(last, toTask(view)).body, isLegacy: true };
}
