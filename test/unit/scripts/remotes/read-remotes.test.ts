// Reading remote agents' cards at a deployment: what it keeps, and what it says where it cannot.
import { generateKeyPairSync } from "node:crypto";
import { AgentCard } from "@a2a-js/sdk";
import { expect, test } from "vitest";

import { signCard } from "#shared/a2a/card-signature.ts";
import { reachableRemotes, readRemotes } from "../../../../scripts/remotes/read-remotes.ts";
import { SILENT_IO } from "../../../support/deployment.ts";
import { jobOf } from "../../jobs/support.ts";

const JOB = jobOf(`name: x
agents: [{ id: a, worker: searcher }, { id: weather, remote: "https://w.example" }]
topology: { type: mesh }
`);
const URL_OF_CARD = "https://w.example/.well-known/agent-card.json";
const CARD = AgentCard.fromJSON({
  name: "Weather",
  supportedInterfaces: [{ url: "https://w.example", protocolBinding: "HTTP+JSON", protocolVersion: "1.0" }],
});

async function signedBy(pair: ReturnType<typeof newPair>): Promise<AgentCard> {
  return signCard(CARD, { ...pair, kid: "w", jku: "" });
}

function newPair() {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    privateKey: privateKey.export({ format: "der", type: "pkcs8" }).toString("base64url"),
    publicKey: String(publicKey.export({ format: "jwk" }).x),
  };
}

function serving(card: AgentCard, keys: readonly string[] = []): typeof fetch {
  return async (input) =>
    String(input instanceof Request ? input.url : input).endsWith("/jwks.json")
      ? Response.json({ keys: keys.map((x) => ({ kty: "OKP", crv: "Ed25519", x })) })
      : Response.json(AgentCard.toJSON(card));
}

const none: typeof fetch = async () => {
  throw new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
};

async function deployed(pair: ReturnType<typeof newPair>) {
  const { weather } = await readRemotes(JOB, [], SILENT_IO, serving(await signedBy(pair), [pair.publicKey]));
  return weather === undefined ? [] : [{ id: "weather", url: URL_OF_CARD, card: weather }];
}

test("a signed card is kept with its key, one that is not without", async () => {
  const pair = newPair();
  expect((await deployed(pair))[0]?.card).toMatchObject({ name: "Weather", key: { x: pair.publicKey } });
  const { weather } = await readRemotes(JOB, [], SILENT_IO, serving(CARD));
  expect(weather).toEqual(expect.not.objectContaining({ key: expect.anything() as unknown }));
});

test("a card that was signed before has to be signed, and another key is said", async () => {
  const before = await deployed(newPair());
  await expect(readRemotes(JOB, before, SILENT_IO, serving(CARD))).rejects.toThrow(
    "The card of the remote agent weather was signed at the last deployment, and is not signed any more.",
  );
  const notes: string[] = [];
  const io = { ...SILENT_IO, note: (text: string) => void notes.push(text) };
  const other = newPair();
  await readRemotes(JOB, before, io, serving(await signedBy(other), [other.publicKey]));
  expect(notes).toEqual(["The card of the remote agent weather is signed by another key than at the last deployment."]);
});

test.each([
  ["nobody answers", none, /cannot be used: it cannot be reached \(connect ECONNREFUSED\)\./],
  ["there is no card", async () => new Response("", { status: 404 }), /cannot be used: there is no card/],
  [
    "its keys are not shown",
    async () => Response.json(AgentCard.toJSON(await signedBy(newPair()))),
    /signed, but by no key/,
  ],
] satisfies [string, typeof fetch, RegExp][])("where %s, the deployment says so", async (_, network, words) => {
  await expect(readRemotes(JOB, [], SILENT_IO, network)).rejects.toThrow(words);
});

test("who can be reached is whose card can be read", async () => {
  const remotes = [{ id: "weather", url: URL_OF_CARD }];
  expect([...(await reachableRemotes(remotes, SILENT_IO.signal, serving(CARD)))]).toEqual([["weather", true]]);
  expect([...(await reachableRemotes(remotes, SILENT_IO.signal, none))]).toEqual([["weather", false]]);
});
