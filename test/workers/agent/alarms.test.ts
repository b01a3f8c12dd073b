// One alarm for many tasks: a new life must not put off what an earlier one had set it for.
import { runInDurableObject } from "cloudflare:test";
import { TaskState } from "@a2a-js/sdk";
import { expect, it } from "vitest";
import { ask, client, send } from "./client.ts";
import { session } from "./sessions.ts";
import { addTask } from "./stored.ts";

it.each(["cancel", "answer"])(
  "to %s one task in a new life leaves the expiry of another thread's approval where it was",
  async (how) => {
    const name = `two-waits-${how}`;
    const a2a = await client("JSONRPC");
    const task = await send(a2a, ask(`call pay ${JSON.stringify({ to: name, amount: 1 })}`, name));
    expect(task.status?.state).toBe(TaskState.TASK_STATE_INPUT_REQUIRED);
    const soon = Date.now() + 60_000;
    await addTask(name, { contextId: `${name}~z.1`, state: TaskState.TASK_STATE_INPUT_REQUIRED, wakeAt: soon });
    await runInDurableObject(session(name), (_, { storage }) => storage.setAlarm(soon));
    await expect(runInDurableObject(session(name), (_, state) => state.abort("crashed"))).rejects.toThrow("crashed");
    if (how === "cancel") await a2a.cancelTask({ tenant: "", id: task.id, metadata: undefined });
    else await send(a2a, ask("no", "", { taskId: task.id }));
    const alarm = await runInDurableObject(session(name), (_, { storage }) => storage.getAlarm());
    expect(alarm).toBeLessThanOrEqual(soon);
  },
);
