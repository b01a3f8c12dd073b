import { describe, expect, it } from "vitest";
import { COMMAND_LINE, signRequest, TOKEN_MS, verifyRequest, type Mandate } from "#shared/a2a/peer-token.ts";
import { bytesToBase64url, fromBase64url, toBase64url } from "#shared/a2a/base64url.ts";
import { SeenTokens } from "#shared/a2a/seen-tokens.ts";
import { signingFetch } from "#shared/a2a/signing-fetch.ts";
import { privateKeyOf, publicKeyOf } from "../../support/test-signers.ts";

const receiver = {
  id: "b",
  job: "j",
  callers: ["a", "c", COMMAND_LINE].map((id) => ({ id, key: publicKeyOf(id) })),
};
const mandate: Mandate = { from: "a", to: "b", job: "j", principal: "local", chain: ["a"], query: "q" };
const request = { method: "POST", path: "/message:send", body: "{}", messageId: "m" };
const signed = (changes: Partial<Mandate> = {}, key = privateKeyOf(changes.from ?? "a")) =>
  signRequest(key, { ...mandate, ...changes }, request);

describe("a token", () => {
  it("tells its receiver who calls, for whom, and with which request", () => {
    expect(verifyRequest(signed(), receiver, request)).toMatchObject({ ...mandate, message: "m" });
  });

  it("is taken once", () => {
    const token = signed();
    expect(verifyRequest(token, receiver, request)).toBeDefined();
    expect(verifyRequest(token, receiver, request)).toBeUndefined();
    // Other letters, the same bytes.
    expect(verifyRequest(`${token}=`, receiver, request)).toBeUndefined();
  });

  it("of the same request is another each time", () => {
    expect(verifyRequest(signed(), receiver, request)).toBeDefined();
    expect(verifyRequest(signed(), receiver, request)).toBeDefined();
  });

  it.each<[string, () => string]>([
    ["for another agent", () => signed({ to: "c" })],
    ["of another job", () => signed({ job: "k" })],
    ["of a sender that is not known here", () => signed({ from: "d", chain: ["d"] })],
    ["signed by another agent's key", () => signed({}, privateKeyOf("c"))],
    ["whose chain ends with another agent", () => signed({ chain: ["a", "c"] })],
    ["of an agent without a chain, as a person would call", () => signed({ chain: [] })],
    ["of the command line in the name of an agent", () => signed({ from: COMMAND_LINE, chain: ["a"] })],
    ["with a changed claim", () => changed(signed(), (claims) => ({ ...claims, principal: "other" }))],
    ["with a claim too few", () => changed(signed(), ({ id: _, ...claims }) => claims)],
    ["without a signature", () => `${signed().split(".")[0] ?? ""}.`],
    ["with a short signature", () => `${signed().split(".")[0] ?? ""}.${bytesToBase64url(new Uint8Array(10))}`],
    ["with three parts", () => `${signed()}.x`],
    ["that is no token", () => "nonsense"],
    ["that is empty", () => ""],
    ["whose body is no JSON", () => `${toBase64url("[")}.${bytesToBase64url(new Uint8Array(64))}`],
    ["whose body is no text", () => "%%.%%"],
  ])("%s is void", (_, make) => {
    expect(verifyRequest(make(), receiver, request)).toBeUndefined();
  });

  it.each([
    ["method", { ...request, method: "GET" }],
    ["task", { ...request, path: "/tasks/other" }],
    ["query", { ...request, path: "/message:send?x=1" }],
  ])("for a request with another %s is void", (_, other) => {
    expect(verifyRequest(signed(), receiver, other)).toBeUndefined();
  });

  it("is void after a minute, and one that lasts longer was void from the start", () => {
    const token = signed();
    expect(atTime(TOKEN_MS + 1_000, () => verifyRequest(token, receiver, request))).toBeUndefined();
    const lasting = atTime(TOKEN_MS, () => signed());
    expect(verifyRequest(lasting, receiver, request)).toBeUndefined();
    // A sender's clock may be a little ahead.
    const early = atTime(20_000, () => signed());
    expect(verifyRequest(early, receiver, request)).toBeDefined();
  });
});

it("used tokens are remembered for as long as they are valid, and not for ever", () => {
  const seen = new SeenTokens(100);
  expect(seen.add("a", 0)).toBe(true);
  expect(seen.add("a", 99)).toBe(false);
  expect(seen.add("b", 101)).toBe(true);
  expect(seen.add("a", 150)).toBe(false);
  expect(seen.add("c", 202)).toBe(true);
  expect(seen.add("d", 303)).toBe(true);
  expect(seen.add("a", 304)).toBe(true);
});

describe("a fetch that signs", () => {
  it("signs each request anew, with its body, and follows no redirect", async () => {
    const sent: (RequestInit | undefined)[] = [];
    const signing = signingFetch(
      async (_, init) => {
        sent.push(init);
        return new Response();
      },
      (about) => signRequest(privateKeyOf("a"), mandate, about),
      "m",
    );
    for (let n = 0; n < 2; n++) await signing("https://b.test/message:send", { method: "POST", body: "{}" });
    const tokens = sent.map((init) => new Headers(init?.headers).get("authorization")?.slice("Bearer ".length) ?? "");
    for (const token of tokens) expect(verifyRequest(token, receiver, request)).toMatchObject({ message: "m" });
    expect(sent.map((init) => init?.redirect)).toEqual(["manual", "manual"]);
  });

  it("sends nothing that it cannot sign", async () => {
    const signing = signingFetch(fetch, () => "t");
    await expect(signing("https://b.test/", { method: "POST", body: new FormData() })).rejects.toThrow(/signed/);
    await expect(signing(new Request("https://b.test/"))).rejects.toThrow(/signed/);
  });
});

function changed(token: string, change: (claims: Record<string, unknown>) => object): string {
  const [text = "", signature = ""] = token.split(".");
  return `${toBase64url(JSON.stringify(change(JSON.parse(fromBase64url(text) ?? "{}"))))}.${signature}`;
}

/** Runs `work` while the clock is so many milliseconds ahead. */
function atTime<Result>(aheadMs: number, work: () => Result): Result {
  const { now } = Date;
  Date.now = () => now() + aheadMs;
  try {
    return work();
  } finally {
    Date.now = now;
  }
}
