// Reading the neighbours' cards, which the first turn of an isolate does. A file of its own, because it is done once an isolate.
import { env } from "cloudflare:workers";
import { TaskState } from "@a2a-js/sdk";
import { expect, it } from "vitest";
import { answerOf, ask, client, send } from "./client.ts";
import { crash } from "./sessions.ts";

it("is done anew when the object that began it died, and a cancel does not wait for it", async () => {
  const a2a = await client("JSONRPC");
  await env.PEER_OTHER.fetch("https://other/stall-card");
  const stream = a2a.sendMessageStream(ask("say never", "reader"));
  await stream.next();
  await crash("reader");
  await env.PEER_OTHER.fetch("https://other/stall-card");
  const waiting = a2a.sendMessageStream(ask("say late", "canceled-early"));
  const { value } = await waiting.next();
  const id = value?.payload?.$case === "task" ? value.payload.value.id : "";
  const before = Date.now();
  const canceled = await a2a.cancelTask({ tenant: "", id, metadata: undefined });
  expect(canceled.status?.state).toBe(TaskState.TASK_STATE_CANCELED);
  expect(Date.now() - before).toBeLessThan(1_800);
  expect(answerOf(await send(a2a, ask("say here")))).toBe("here");
});
