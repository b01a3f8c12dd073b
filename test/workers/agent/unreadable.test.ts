// The Session against rows that cannot be read.
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { TaskState } from "@a2a-js/sdk";
import { expect, it } from "vitest";
import { ask, client } from "./client.ts";

const session = (name: string) => env.SESSION.getByName(JSON.stringify(["local", name]));
const call = (tool: string, input: object) => `call ${tool} ${JSON.stringify(input)}`;

async function crash(name: string): Promise<void> {
  await expect(runInDurableObject(session(name), (_, state) => state.abort("crashed by the test"))).rejects.toThrow(
    "crashed by the test",
  );
}
async function begin(text: string, name: string): Promise<string> {
  const stream = (await client("JSONRPC")).sendMessageStream(ask(text, name));
  const { value } = await stream.next();
  return value?.payload?.$case === "task" ? value.payload.value.id : "";
}

it("one thread whose log cannot be read does not keep the others of its session from being taken up", async () => {
  const name = "unreadable";
  const bad = await begin(call("hang", {}), name);
  expect(bad).not.toBe("");
  // A second thread of the same session, as a peer opens it.
  await runInDurableObject(session(name), (_, { storage }) => {
    storage.sql
      .exec(`INSERT INTO task SELECT '${name}~z.1', n, state, created_at, updated_at, trace_id, answer, problem, usage, trace,
      'other', asker, life, wake_at, result FROM task`);
    storage.sql.exec(
      `INSERT INTO step (context_id, seq, n, body, worked_ms) VALUES ('${name}~z.1', 0, 1, '{"kind":"user","text":"say fine"}', 0)`,
    );
    storage.sql.exec(`UPDATE step SET body = '{"kind":"of a later version"}' WHERE context_id = '${name}' AND seq = 0`);
  });
  await crash(name);
  for (let i = 0; i < 2; i++) await runDurableObjectAlarm(session(name)).catch(() => undefined);
  const state = () =>
    runInDurableObject(
      session(name),
      (_, { storage }) =>
        storage.sql.exec<{ state: number }>(`SELECT state FROM task WHERE context_id = '${name}~z.1'`).one().state,
    );
  await expect.poll(state, { timeout: 4_000 }).toBe(TaskState.TASK_STATE_COMPLETED);
});
