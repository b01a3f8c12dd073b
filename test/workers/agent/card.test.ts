// The card, what it declares, and who may read it from a page.
import { describe, expect, it } from "vitest";
import { COMMAND_LINE } from "#shared/a2a/peer-token.ts";
import { EXTENSION } from "#shared/a2a/extensions.ts";
import { signedBy } from "../../support/test-signers.ts";
import { ask, client, knock, post, send } from "./client.ts";

interface Extended {
  readonly capabilities: { readonly extensions: readonly { readonly uri: string; readonly params?: unknown }[] };
}

const CARD = "/.well-known/agent-card.json";
const PAGE = "https://app.example";

describe("the card", () => {
  it("names both bindings of 1.0 first, and has the fields of 0.3", async () => {
    expect(await (await knock(CARD)).json()).toMatchObject({
      name: "Test Agent",
      capabilities: { streaming: true, extendedAgentCard: true },
      supportedInterfaces: [
        { protocolBinding: "JSONRPC", url: "https://tester.test/jsonrpc", protocolVersion: "1.0" },
        { protocolBinding: "HTTP+JSON", url: "https://tester.test", protocolVersion: "1.0" },
        { protocolBinding: "JSONRPC", url: "https://tester.test/jsonrpc", protocolVersion: "0.3" },
      ],
      protocolVersion: "0.3.0",
      url: "https://tester.test/jsonrpc",
      preferredTransport: "JSONRPC",
    });
  });

  it("is not sent again to who has it", async () => {
    const { headers } = await knock(CARD);
    const etag = headers.get("etag") ?? "";
    const modified = headers.get("last-modified") ?? "";
    expect(headers.get("cache-control")).toContain("max-age");
    const statusFor = async (known: Record<string, string>) => (await knock(CARD, { headers: known })).status;
    expect(await statusFor({ "if-none-match": etag })).toBe(304);
    expect(await statusFor({ "if-none-match": `"other", W/${etag}` })).toBe(304);
    expect(await statusFor({ "if-none-match": '"other"', "if-modified-since": modified })).toBe(200);
    expect(await statusFor({ "if-modified-since": modified })).toBe(304);
    expect(await statusFor({ "if-modified-since": "Mon, 01 Jan 2024 00:00:00 GMT" })).toBe(200);
    expect(await statusFor({ "if-modified-since": "yesterday" })).toBe(200);
  });

  it("declares its extensions, and a response names those that the request asked for", async () => {
    const card = await (await knock(CARD)).json<{ capabilities: { extensions: { uri: string }[] } }>();
    const declared = card.capabilities.extensions.map(({ uri }) => uri);
    expect(declared).toEqual([EXTENSION.approvals, EXTENSION.usage, EXTENSION.traces]);
    const wanted = { "A2A-Extensions": `${EXTENSION.usage}, urn:other, ${EXTENSION.traces}` };
    const message = { messageId: crypto.randomUUID(), role: "ROLE_USER", parts: [{ text: "say hi" }] };
    for (const path of ["/message:send", "/message:stream"]) {
      const response = await post(path, { message }, wanted);
      expect(response.headers.get("a2a-extensions")).toBe(`${EXTENSION.usage}, ${EXTENSION.traces}`);
      await response.text();
    }
    const none = await post("/message:send", { message }, { "A2A-Extensions": "urn:other" });
    expect(none.headers.has("a2a-extensions")).toBe(false);
  });

  it("a question for approvals names its extension", async () => {
    const task = await send(await client("JSONRPC"), ask('call pay {"to":"card","amount":1}'));
    expect(task.status?.message?.extensions).toEqual([EXTENSION.approvals]);
  });

  it("the extended one tells who may ask what the agent works with; in 0.3 only who has credentials", async () => {
    const headers = { "a2a-version": "1.0" };
    const extended = await (await knock("/extendedAgentCard", { headers })).json<Extended>();
    expect(extended.capabilities.extensions.find(({ uri }) => uri === EXTENSION.profile)?.params).toMatchObject({
      model: { name: "scripted" },
      tools: expect.arrayContaining([expect.objectContaining({ name: "pay", readOnly: false })]),
    });
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "agent/getAuthenticatedExtendedCard" });
    const about = { method: "POST", path: "/jsonrpc", body };
    const legacy = async (more: Record<string, string>) =>
      (
        await knock("/jsonrpc", { method: "POST", body, headers: { "content-type": "application/json", ...more } })
      ).json();
    expect(await legacy({})).toMatchObject({ error: { code: -32007 } });
    expect(await legacy(signedBy({ from: COMMAND_LINE, chain: [] }, about))).toMatchObject({
      result: { url: expect.any(String) },
    });
  });

  it("has no fields of 0.3 for who asks for 1.0, and caches know that", async () => {
    const { headers } = await knock(CARD);
    const plain = await knock(CARD, { headers: { "a2a-version": "1.0" } });
    expect(plain.headers.get("vary")).toContain("A2A-Version");
    expect(plain.headers.get("etag")).not.toBe(headers.get("etag"));
    expect(await plain.json()).not.toHaveProperty("preferredTransport");
  });
});

describe("a page of another origin", () => {
  const headers = { origin: PAGE, "sec-fetch-site": "cross-site", "a2a-version": "1.0" };

  it("may call when the job names it, and read the answer", async () => {
    const preflight = { ...headers, "access-control-request-method": "POST" };
    const asked = await knock("/jsonrpc", { method: "OPTIONS", headers: preflight });
    expect([asked.status, asked.headers.get("access-control-allow-origin")]).toEqual([204, PAGE]);
    expect(asked.headers.get("access-control-allow-headers")).toContain("A2A-Version");
    const listed = await knock("/tasks", { headers });
    expect([listed.status, listed.headers.get("access-control-allow-origin")]).toEqual([200, PAGE]);
    expect(listed.headers.get("vary")).toContain("Origin");
    const refused = await knock("/tasks", { headers: { ...headers, authorization: "Bearer x.y" } });
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([401, PAGE]);
  });

  it.each(["https://app.example.evil", "http://app.example", "null", "https://app.example:8443"])(
    "%s is refused where the job names another",
    async (origin) => {
      const response = await knock("/tasks", { headers: { ...headers, origin } });
      expect([response.status, response.headers.has("access-control-allow-origin")]).toEqual([403, false]);
    },
  );
});
