// Reading the neighbours' cards, which the first turn of an isolate does. A file of its own, because it is done once an isolate.
import { env } from "cloudflare:workers";
import { generateKeyPairSync } from "node:crypto";
import { AgentCard, TaskState } from "@a2a-js/sdk";
import { expect, it } from "vitest";
import { signCard } from "#shared/a2a/card-signature.ts";
import { configOf } from "#shared/agent/env.ts";
import { neighbours } from "#shared/agent/peers/neighbours.ts";
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

it("a neighbour counts only when its card is signed with the key that the deployment has pinned", async () => {
  const { privateKey, publicKey } = pair();
  const signer = { privateKey, publicKey, kid: "other", jku: "https://other/.well-known/jwks.json" };
  const card = AgentCard.fromJSON(
    await (await env.PEER_OTHER.fetch("https://other/.well-known/agent-card.json")).json(),
  );
  const signed = AgentCard.toJSON(await signCard(card, signer));
  const read = async (key: string) => {
    const peers = [{ id: "other", binding: "PEER_SIGNED", key }];
    const PEER_SIGNED = { fetch: async () => Response.json(signed) };
    return neighbours(Object.assign({}, env, { PEER_SIGNED, AGENT: { ...configOf(env), peers } }));
  };
  expect(await read(publicKey)).toMatchObject([{ id: "other", description: card.description }]);
  expect(await read(pair().publicKey)).toMatchObject([{ id: "other", description: "(cannot be reached now)" }]);
});

function pair() {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    privateKey: privateKey.export({ format: "der", type: "pkcs8" }).toString("base64url"),
    publicKey: publicKey.export({ format: "jwk" }).x ?? "",
  };
}
