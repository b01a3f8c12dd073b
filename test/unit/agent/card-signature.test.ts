// Signed cards: what this code signs, others verify, and only the pinned key counts.
import { generateKeyPairSync } from "node:crypto";
import { AgentCard, verifyAgentCardSignature } from "@a2a-js/sdk";
import { expect, it } from "vitest";
import { isSignedBy, publicJwk, signCard, type CardSigner } from "#shared/a2a/card-signature.ts";
import { cardJson } from "#shared/agent/card.ts";

function signer(kid = "searcher"): CardSigner {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    privateKey: privateKey.export({ format: "der", type: "pkcs8" }).toString("base64url"),
    publicKey: publicKey.export({ format: "jwk" }).x ?? "",
    kid,
    jku: "https://a.test/.well-known/jwks.json",
  };
}

const CARD = AgentCard.fromJSON({
  name: "Searcher",
  description: "Sucht, „überall“",
  version: "1.0.0",
  supportedInterfaces: [{ url: "https://a.test", protocolBinding: "HTTP+JSON", protocolVersion: "1.0" }],
  capabilities: { streaming: true, pushNotifications: false },
  defaultInputModes: ["text/plain"],
  defaultOutputModes: ["text/plain"],
  skills: [{ id: "s", name: "S", description: "", tags: ["b", "a"] }],
  securitySchemes: { key: { httpAuthSecurityScheme: { scheme: "Bearer" } } },
});

it("the key that signed a card verifies it, with the fields of A2A 0.3 beside", async () => {
  const own = signer();
  const signed = cardJson(await signCard(CARD, own));
  expect(await isSignedBy(signed, own.publicKey)).toBe(true);
  expect(await isSignedBy(JSON.parse(JSON.stringify(signed)), own.publicKey)).toBe(true);
});

it("another key does not, whatever the card says of itself", async () => {
  const [own, other] = [signer(), signer()];
  const forged = cardJson(await signCard(CARD, { ...other, kid: own.kid, jku: own.jku }));
  expect(await isSignedBy(forged, own.publicKey)).toBe(false);
  expect(await isSignedBy(cardJson(CARD), own.publicKey)).toBe(false);
});

it.each([
  ["its name", { name: "Other" }],
  [
    "an address",
    { supportedInterfaces: [{ url: "https://evil.test", protocolBinding: "HTTP+JSON", protocolVersion: "1.0" }] },
  ],
  ["what it asks for", { securitySchemes: {} }],
  ["a skill", { skills: [] }],
])("a card is void with another value for %s", async (_, change) => {
  const own = signer();
  const signed = cardJson(await signCard(CARD, own));
  expect(await isSignedBy({ ...signed, ...change }, own.publicKey)).toBe(false);
});

it.each([
  { signatures: [{ protected: "", signature: "" }] },
  { signatures: [{ protected: "bm9uZQ", signature: "x" }] },
  { signatures: "none" },
])("a malformed signature is none: %j", async (spoilt) => {
  const own = signer();
  expect(await isSignedBy({ ...cardJson(CARD), ...spoilt }, own.publicKey)).toBe(false);
});

it("the SDK verifies the card with the published key", async () => {
  const own = signer();
  const { securitySchemes: _, ...plain } = CARD;
  const signed = await signCard({ ...plain, securitySchemes: {} }, own);
  const verify = verifyAgentCardSignature(async (kid, jku) => {
    expect([kid, jku]).toEqual([own.kid, own.jku]);
    return publicJwk(own.publicKey);
  });
  await expect(verify(signed)).resolves.toBeUndefined();
  await expect(verify({ ...signed, name: "Other" })).rejects.toThrow("No valid signatures");
});
