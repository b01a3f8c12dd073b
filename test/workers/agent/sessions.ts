// Sessions of the test agent as the objects that they are: to look into, and to end as a crash does.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { ask, client } from "./client.ts";

export const session = (name: string) => env.SESSION.getByName(JSON.stringify(["local", name]));

/** Ends a session's object as a crash does: at once, with whatever it was doing. */
export async function crash(name: string): Promise<void> {
  await crashObject(session(name));
}

export async function crashObject(stub: DurableObjectStub): Promise<void> {
  const crashed = runInDurableObject(stub, (_, state) => state.abort("crashed by the test"));
  await expect(crashed).rejects.toThrow("crashed by the test");
}

/** Sends a message to the session and does not wait for what becomes of it; resolves to the task's id. */
export async function begin(name: string, text: string): Promise<string> {
  const events = (await client("JSONRPC")).sendMessageStream(ask(text, name));
  const { value } = await events.next();
  await events.return();
  return value?.payload?.$case === "task" ? value.payload.value.id : "";
}
