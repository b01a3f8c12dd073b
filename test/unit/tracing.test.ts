// The pure parts of tracing: secrets, limits, messages, batches.
import { describe, expect, it, test } from "vitest";
import { contentFilter, MAX_CONTENT } from "#shared/tracing/content.ts";
import { inputMessages } from "#shared/tracing/gen-ai-messages.ts";
import { IsolateBatch } from "#shared/tracing/isolate-batch.ts";
import * as names from "#shared/tracing/names.ts";
import { costOf } from "#shared/budget/price.ts";
import { redactor } from "#shared/tracing/redact.ts";

describe("redaction", () => {
  const clean = redactor(["the-agents-own-secret"]);

  test.each([
    ["the-agents-own-secret", "[redacted]"],
    ["key: sk-ant-api03-AbCdEfGhIjKlMnOpQr", "key: [redacted]"],
    ["ghp_0123456789abcdefghij", "[redacted]"],
    ["github_pat_0123456789abcdefghij_x", "[redacted]"],
    [`troupe_my-job_${"A1_-b".repeat(13)}`, "[redacted]"],
    ["xoxb-1234567890-abc", "[redacted]"],
    ["AKIAIOSFODNN7EXAMPLE", "[redacted]"],
    ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "[redacted]"],
    ["postgres://app:hunter2@db.example/x", "postgres://app:[redacted]@db.example/x"],
    ["Authorization: Bearer abcdefghijklmnop", "Authorization: Bearer [redacted]"],
    ["DB_PASSWORD=correct-horse", "DB_PASSWORD=[redacted]"],
    ['{"api_key":"0123456789abcdef","n":1}', '{"api_key":"[redacted]","n":1}'],
    ['{"text":"{\\"api_key\\":\\"0123456789abcdef\\"}"}', '{"text":"{\\"api_key\\":\\"[redacted]\\"}"}'],
    ["AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "AWS_SECRET_ACCESS_KEY=[redacted]"],
    ["SECRET_KEY=abcdefgh", "SECRET_KEY=[redacted]"],
    ['"refresh_token":"abcdef"', '"refresh_token":"[redacted]"'],
    ["auth_token: 12ab34cd", "auth_token: [redacted]"],
    ["redis://:hunter2@cache/0", "redis://:[redacted]@cache/0"],
    ["https://0123456789abcdefghij@git.example/x", "https://[redacted]@git.example/x"],
    ["xapp-1-A012345678-abc", "[redacted]"],
    ["ya29.a0AfH6SMBx1234567890abc", "[redacted]"],
    ['{"password": "correct horse battery"}', '{"password": "[redacted]"}'],
    ["-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\nafter", "[redacted]\nafter"],
    ["-----BEGIN PRIVATE KEY-----\nMIIB and no end", "[redacted]"],
  ])("%s", (text, expected) => {
    expect(clean(text)).toBe(expected);
  });

  test.each([
    "What is prompt caching, and what do tokens cost?",
    "The secret of good tea is water just off the boil.",
    "https://docs.example/a:b/c@d",
    "password managers are recommended",
    "The secret: always rinse the pot",
    "apiKey: string",
    "password: string; token: string",
    "The token: an opaque string",
    "sk-8",
  ])("leaves alone what is no secret: %s", (text) => {
    expect(clean(text)).toBe(text);
  });

  it.each([
    "a",
    "api_key",
    "eyJ",
    "http://",
    "bearer ",
    "sk-a",
    "eyJ-",
    "eyJaaaaaaaaa.",
    "api_key=",
    '":"',
    "password: ",
  ])("comes to an end over 200,000 times %j", (piece) => {
    expect(clean(piece.repeat(200_000)).length).toBeGreaterThan(0);
  });
});

describe("content", () => {
  it("is not even made where none is recorded", () => {
    const filter = contentFilter("none", []);
    expect(filter(() => expect.fail("made"))).toBeUndefined();
  });

  it("is whole where all is recorded, secrets included", () => {
    expect(contentFilter("full", ["top-secret"])(() => "top-secret")).toBe("top-secret");
  });

  it("never shows half of a secret that lies across the limit", () => {
    const secret = "sk-ant-api03-AbCdEfGhIjKlMnOpQrStUv";
    const text = `${"x".repeat(MAX_CONTENT - 11)} ${secret}${"y ".repeat(5_000)}`;
    const kept = contentFilter("redacted", [])(() => text) ?? "";
    expect(kept).not.toContain("sk-ant");
    expect(kept).toMatch(/\[cut: \d+ of \d+ characters left out\]$/);
  });

  it("never shows half of a secret where others before it made the text shorter", () => {
    const pem = `-----BEGIN PRIVATE KEY-----${"A".repeat(8_000)}-----END PRIVATE KEY-----`;
    const known = "KNOWN-SECRET-VALUE-0123456789";
    const text = `${pem}${"x ".repeat((MAX_CONTENT + 4_096 - pem.length - 20) / 2)}${known}${"y".repeat(9_000)}`;
    expect(contentFilter("redacted", [known])(() => text)).not.toContain("KNOWN");
  });

  it("that cannot be made into text fails nothing", () => {
    const filter = contentFilter("redacted", []);
    expect(filter(() => JSON.stringify({ n: 1n }))).toBe("[cannot be recorded]");
    expect(filter(() => JSON.stringify(undefined))).toBe("");
  });
});

describe("secrets that the agent knows", () => {
  const secret = 'pa"ss\\word\nof two lines';
  it.each([
    ["plain", secret],
    ["in JSON", JSON.stringify({ secret })],
    ["in JSON within JSON", JSON.stringify({ text: JSON.stringify({ secret }) })],
  ])("are found %s", (_, text) => {
    const clean = redactor([`${secret}\n`])(text);
    expect(clean).toContain("[redacted]");
    expect(clean).not.toContain("two lines");
  });
});

describe("input messages", () => {
  it("keep the latest where they do not all fit, and are JSON still", () => {
    const messages = Array.from({ length: 50 }, (_, n) => ({
      role: "user" as const,
      content: `${n} ${"x".repeat(2_000)}`,
    }));
    const text = inputMessages(messages);
    expect(text.length).toBeLessThan(MAX_CONTENT);
    const kept = JSON.parse(text) as { role: string; parts: { content: string }[] }[];
    expect(kept.at(-1)?.parts[0]?.content).toMatch(/^49 /);
    expect(kept[0]).toMatchObject({
      role: "system",
      parts: [{ content: `[cut: the first ${51 - kept.length} of 50 messages left out]` }],
    });
  });
});

describe("names", () => {
  const { RESOURCE, GENERAL, GEN_AI, A2A, MCP, TROUPE, APPROVAL, COMPACTION, BREAKER, BUDGET } = names;
  const groups = [RESOURCE, GENERAL, GEN_AI, A2A, MCP, TROUPE, APPROVAL, COMPACTION, BREAKER, BUDGET];
  const all = groups.flatMap((group): string[] => Object.values(group));

  it("stand for one attribute each", () => {
    expect(all.filter((name, index) => all.indexOf(name) !== index)).toEqual([]);
  });

  it("are those of conventions, or begin with troupe", () => {
    const known = /^(service|error|server|http|gen_ai|a2a|mcp|jsonrpc|troupe)\./;
    expect(all.filter((name) => !known.test(name))).toEqual([]);
  });
});

describe("cost", () => {
  it("is counted by each kind of token", () => {
    const usage = {
      inputTokens: 1_000_000,
      outputTokens: 500_000,
      cacheReadTokens: 2_000_000,
      cacheWriteTokens: 100_000,
    };
    expect(costOf(usage, { input: 2, output: 10, cacheRead: 0.1, cacheWrite: 2.5 })).toBeCloseTo(7.45, 10);
  });
});

describe("a batch of an isolate", () => {
  const collect = (fail: () => boolean = () => false) => {
    const sent: string[][] = [];
    const batch = new IsolateBatch<string>(1, async (items) => {
      if (fail()) throw new Error("not now");
      sent.push([...items]);
    });
    return { batch, sent };
  };

  it("sends what several report in one go, the latest of each key", async () => {
    const { batch, sent } = collect();
    const work: Promise<unknown>[] = [];
    for (const [key, item] of [
      ["a", "a1"],
      ["b", "b1"],
      ["a", "a2"],
    ] as const)
      batch.add(key, item, (send) => work.push(send));
    await Promise.all(work);
    expect([sent, work.length]).toEqual([[["a2", "b1"]], 1]);
  });

  it("finds itself another messenger after one has failed", async () => {
    let down = true;
    const { batch, sent } = collect(() => down);
    const work: Promise<unknown>[] = [];
    batch.add("a", "a1", (send) => work.push(send));
    await expect(Promise.all(work)).rejects.toThrow("not now");
    down = false;
    batch.add("b", "b1", (send) => work.push(send));
    await work[1];
    expect(sent.map((items) => items.toSorted())).toEqual([["a1", "b1"]]);
  });

  it("that has to be complete sends what another request has under way as well", async () => {
    const sent: string[][] = [];
    const batch = new IsolateBatch<string>(1, async (items) => {
      sent.push([...items]);
      // The first never arrives.
      if (sent.length === 1) await new Promise(() => {});
    });
    batch.add("a", "a1", () => undefined);
    batch.add("b", "b1", () => undefined);
    void batch.flush();
    batch.add("a", "a2", () => undefined);
    await batch.flushAll();
    expect(sent.map((items) => items.toSorted())).toEqual([
      ["a1", "b1"],
      ["a2", "b1"],
    ]);
  });

  it("sends again what could not be sent, but for what has changed since", async () => {
    let down = true;
    const { batch, sent } = collect(() => down);
    batch.add("a", "a1", () => undefined);
    batch.add("b", "b1", () => undefined);
    const failed = batch.flush();
    batch.add("a", "a2", () => undefined);
    await expect(failed).rejects.toThrow("not now");
    down = false;
    await batch.flush();
    expect(sent.map((items) => items.toSorted())).toEqual([["a2", "b1"]]);
  });
});
