import { expect, it } from "vitest";
import type { ModelRequest } from "#shared/models/model.ts";
import { RawMessagesApi } from "../../support/raw-messages-api.ts";

const api = await RawMessagesApi.forFile();

const { signal } = new AbortController();
const request: ModelRequest = {
  system: "You count.",
  messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
  tools: [{ name: "echo", input_schema: { type: "object" } }],
};
const say = (status: number, body: unknown) => {
  api.behave = (response) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
};

it("tokens are those that the backend counts for system, messages and tools", async () => {
  say(200, { input_tokens: 42 });
  expect(await api.model().countTokens(request, signal)).toBe(42);
  expect(api.calls[0]).toMatchObject({
    path: "/v1/messages/count_tokens",
    body: { model: "claude-sonnet-5-5", system: "You count.", messages: request.messages, tools: request.tools },
  });
});

it("what was compacted before the messages is counted with them, under the beta's name", async () => {
  say(200, { input_tokens: 42 });
  const compacted = { type: "compaction" as const, content: "They said hi." };
  await api.model().countTokens({ ...request, compacted }, signal);
  expect(api.calls[0]?.beta).toBe("compact-2026-09-04");
  expect(api.calls[0]?.body.messages[0]).toEqual({ role: "assistant", content: [compacted] });
});

it.each([404, 405, 501])("a backend that says %i cannot count, and is not asked again", async (status) => {
  say(status, { error: { message: "no such path" } });
  const model = api.model();
  expect([await model.countTokens(request, signal), await model.countTokens(request, signal)]).toEqual([
    undefined,
    undefined,
  ]);
  expect(api.calls).toHaveLength(1);
});

it.each([
  [529, {}, "overloaded"],
  [401, {}, "unauthorized"],
  [200, { input_tokens: "many" }, "broken_stream"],
])("an answer %i %j is an error, told at once", async (status, body, code) => {
  say(status, body);
  await expect(api.model().countTokens(request, signal)).rejects.toMatchObject({ name: "ModelError", code });
  expect(api.calls).toHaveLength(1);
});

it("counting that is given up rejects with the signal's reason", async () => {
  const abort = new AbortController();
  const reason = new Error("given up");
  api.behave = () => abort.abort(reason);
  await expect(api.model().countTokens(request, abort.signal)).rejects.toBe(reason);
});
