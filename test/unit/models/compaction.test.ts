// Claude's own compaction, against a server that speaks its documented protocol.
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { CompactionBlock, ModelRequest } from "#shared/models/model.ts";
import { answer, RawMessagesApi, text } from "../../support/raw-messages-api.ts";

let api: RawMessagesApi;
beforeAll(async () => {
  api = await RawMessagesApi.start();
});
beforeEach(() => void api.calls.splice(0));
afterAll(() => api.close());

const { signal } = new AbortController();
const BLOCK: CompactionBlock = {
  type: "compaction",
  content: "They said hi.",
  signature: "c2ln",
  encrypted_content: null,
};
const request: ModelRequest = {
  system: "You talk.",
  messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
  tools: [{ name: "echo", input_schema: { type: "object" } }],
};
const figures = (input: number, output: number) => ({
  input_tokens: input,
  output_tokens: output,
  cache_read_input_tokens: 3,
  cache_creation_input_tokens: 4,
});
const say = (status: number, body: unknown) => {
  api.behave = (response) =>
    response.writeHead(status, { "content-type": "application/json", "retry-after-ms": "1" }).end(JSON.stringify(body));
};
const compacted = (content: unknown[]) => ({
  id: "m",
  type: "message",
  role: "assistant",
  model: "m",
  content,
  stop_reason: "compaction",
  usage: {
    ...figures(0, 0),
    iterations: [
      { type: "compaction", ...figures(10, 20) },
      { type: "message", ...figures(9, 9) },
    ],
  },
});

it("the whole conversation is sent with the instructions, and its block comes back as it is, with what it cost", async () => {
  say(200, compacted([BLOCK]));
  expect(await api.model().compact?.(request, "Summarise it.", signal)).toEqual({
    summary: "They said hi.",
    block: BLOCK,
    usage: { inputTokens: 10, outputTokens: 20, cacheReadTokens: 6, cacheWriteTokens: 8 },
  });
  expect(api.calls[0]).toMatchObject({
    path: "/v1/messages",
    beta: "compact-2026-09-04",
    body: {
      system: "You talk.",
      messages: request.messages,
      tools: request.tools,
      max_tokens: 100,
      compaction: { type: "summarize", instructions: "Summarise it." },
    },
  });
});

it("the block goes first in later requests, in front of what was said since, under the beta's name", async () => {
  api.behave = (response) => response.end(answer(text("whole")));
  const assistant = { role: "assistant" as const, content: [{ type: "text" as const, text: "and?" }] };
  const drain = async (messages: ModelRequest["messages"]) => {
    for await (const { type } of api.model().stream({ ...request, messages, compacted: BLOCK }, signal, () => {}))
      if (type === "message_stop") break;
  };
  await drain(request.messages);
  await drain([assistant, ...request.messages]);
  const [first, second] = api.calls;
  expect(first?.beta).toBe("compact-2026-09-04");
  expect(first?.body.messages).toEqual([{ role: "assistant", content: [BLOCK] }, ...request.messages]);
  expect(second?.body.messages).toEqual([
    { role: "assistant", content: [BLOCK, ...assistant.content] },
    ...request.messages,
  ]);
});

it.each([
  ["says 400 to the parameter", 400, { error: { message: "compaction: Extra inputs are not permitted" } }],
  ["says 404", 404, {}],
  ["answers as if there were no parameter", 200, { content: [{ type: "text", text: "hi" }], usage: {} }],
])("a backend that %s has none, and is not asked again", async (_, status, body) => {
  say(status, body);
  const model = api.model();
  expect(await model.compact?.(request, "Summarise it.", signal)).toBeUndefined();
  expect(await model.compact?.(request, "Summarise it.", signal)).toBeUndefined();
  expect(api.calls).toHaveLength(1);
});

it("a conversation that cannot be compacted does not keep others from it", async () => {
  const details = { error_code: "compaction_nothing_to_summarize" };
  say(400, { error: { type: "invalid_request_error", message: "nothing", details } });
  const model = api.model();
  expect(await model.compact?.(request, "Summarise it.", signal)).toBeUndefined();
  say(200, compacted([BLOCK]));
  expect(await model.compact?.(request, "Summarise it.", signal)).toMatchObject({ summary: "They said hi." });
});

it("other failures are errors", async () => {
  say(529, {});
  await expect(api.model().compact?.(request, "Summarise it.", signal)).rejects.toMatchObject({ code: "overloaded" });
});

it("is offered for Claude only", () => {
  expect(api.model({ provider: "troupe.offline" }).compact).toBeUndefined();
});
