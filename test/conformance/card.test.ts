// A2A 1.0, section 8: the agent card; section 4.6: extensions.
import { AgentCard, verifyAgentCardSignature } from "@a2a-js/sdk";
import { expect, it } from "vitest";
import * as z from "zod";
import { agent, begin } from "./agent.ts";

const PATH = "/.well-known/agent-card.json";
const fetchCard = async (headers: Record<string, string> = {}) =>
  fetch(agent.url + PATH, { headers: { "a2a-version": "1.0", ...headers } });

const Card = z.looseObject({
  name: z.string().min(1),
  description: z.string().min(1),
  version: z.string().min(1),
  supportedInterfaces: z
    .array(z.looseObject({ url: z.url(), protocolBinding: z.string(), protocolVersion: z.string() }))
    .min(1),
  capabilities: z.looseObject({ extensions: z.array(z.looseObject({ uri: z.string() })).default([]) }),
  defaultInputModes: z.array(z.string()).min(1),
  defaultOutputModes: z.array(z.string()).min(1),
  skills: z.array(
    z.looseObject({ id: z.string(), name: z.string(), description: z.string(), tags: z.array(z.string()) }),
  ),
});

it("8.2: the card is at its well-known path, with all that it must have", async () => {
  const response = await fetchCard();
  expect(response.headers.get("content-type")).toContain("application/json");
  Card.parse(await response.json());
});

it("8.6: the card may be cached, and is not sent again", async () => {
  const { headers } = await fetchCard();
  expect(headers.get("cache-control")).toMatch(/max-age=\d+/);
  expect((await fetchCard({ "if-none-match": headers.get("etag") ?? "" })).status).toBe(304);
  expect((await fetchCard({ "if-modified-since": headers.get("last-modified") ?? "" })).status).toBe(304);
});

it("3.2.6: a response names the extensions that both sides know", async () => {
  const { capabilities } = Card.parse(await (await fetchCard()).json());
  const [extension] = capabilities.extensions;
  const asked = { "A2A-Extensions": `urn:unknown, ${extension?.uri ?? ""}` };
  const { headers } = await agent.call("HTTP+JSON", "SendMessage", begin("tck-complete-task"), asked);
  expect(headers.get("a2a-extensions") ?? undefined).toBe(extension?.uri);
});

const isSigned = JSON.stringify(await (await fetchCard()).json()).includes('"signatures":[{');

it.runIf(isSigned)(
  "8.4: the card's signature holds under the key that the card names, and under no other card",
  async () => {
    const signed = AgentCard.fromJSON(await (await fetchCard()).json());
    const Keys = z.object({ keys: z.array(z.looseObject({ kid: z.string(), kty: z.string() })) });
    const verify = verifyAgentCardSignature(async (kid, jku) => {
      const { keys } = Keys.parse(await (await fetch(jku ?? "")).json());
      const key = keys.find((other) => other.kid === kid);
      if (!key) throw new Error(`There is no key ${kid}.`);
      return key;
    });
    await expect(verify(signed)).resolves.toBeUndefined();
    await expect(verify({ ...signed, name: "Other" })).rejects.toThrow("No valid signatures");
  },
);
