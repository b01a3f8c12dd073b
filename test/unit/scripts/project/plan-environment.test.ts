// The address of the model's API as the shell has it.
import { expect, test } from "vitest";

import { anthropicUrl } from "../../../../scripts/project/plan-environment.ts";

function urlOf(text: string, key = "k"): string | undefined {
  return anthropicUrl({ ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: text });
}

test.each([
  ["https://api.anthropic.com", "https://api.anthropic.com"],
  [" http://127.0.0.1:8123/ ", "http://127.0.0.1:8123"],
  ["http://127.0.0.1:8123/v1", "http://127.0.0.1:8123"],
  ["http://127.0.0.1:8123/v1/", "http://127.0.0.1:8123"],
  ["http://127.0.0.1:8123/v1/messages", "http://127.0.0.1:8123"],
  ["https://gateway.test/anthropic/v1", "https://gateway.test/anthropic"],
  ["HTTPS://Gateway.test/v1beta", "https://gateway.test/v1beta"],
])("%s is asked at %s", (text, url) => {
  expect(urlOf(text)).toBe(url);
});

test.each([
  "127.0.0.1:8123",
  "localhost:8123",
  "//host",
  "api.anthropic.com",
  "ftp://host",
  "http://",
  "https://h?k=1",
  "https://me:pw@h",
  "https://h#v1",
  "file:///v1",
  "http://a b",
])("%s is refused, by the variable's name", (text) => {
  expect(() => urlOf(text)).toThrow(/^ANTHROPIC_BASE_URL is not the address of an API(?!.*:pw)/);
});

test("without a key nothing goes there, whatever it says", () => {
  expect([urlOf("nonsense", ""), urlOf("")]).toEqual([undefined, undefined]);
});
