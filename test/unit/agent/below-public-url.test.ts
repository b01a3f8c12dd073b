// An agent behind a part of a host takes its paths from there.
import { expect, test } from "vitest";

import { belowPublicUrl } from "#shared/agent/front-door/below-public-url.ts";

test.each([
  ["https://example.com/agents/health?a=1", "https://example.com/health?a=1"],
  ["https://example.com/agents", "https://example.com/"],
  ["https://example.com/agentship", "https://example.com/agentship"],
  ["https://x.acme.workers.dev/agents/health", "https://x.acme.workers.dev/agents/health"],
])("%s is %s", (asked, meant) => {
  expect(belowPublicUrl(new Request(asked), "https://example.com/agents").url).toBe(meant);
});

test("method, headers and body stay", async () => {
  const request = new Request("https://example.com/agents/", {
    method: "POST",
    headers: { "x-own": "1" },
    body: "text",
  });
  const own = belowPublicUrl(request, "https://example.com/agents");
  expect([own.method, own.headers.get("x-own"), await own.text()]).toEqual(["POST", "1", "text"]);
});

test("without a path in the address the request is the same", () => {
  const request = new Request("https://example.com/health");
  expect(belowPublicUrl(request, "https://example.com")).toBe(request);
  expect(belowPublicUrl(request, undefined)).toBe(request);
});
