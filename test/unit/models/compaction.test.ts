// Claude's own compaction, against a server that speaks its documented protocol.
import { expect, it } from "vitest";
import {
  ModelError,
  type CompactionBlock,
  type Model,
  type ModelNotice,
  type ModelRequest,
} from "#shared/models/model.ts";
import { answer, RawMessagesApi, text } from "../../support/raw-messages-api.ts";

const api = await RawMessagesApi.forFile();

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
/** Asks `model` for a summary, and tells which notices there were. */
async function compact(model: Model, notices: ModelNotice[] = []) {
  return model.compact?.(request, "Summarise it.", signal, (notice) => void notices.push(notice));
}
const compacted = (content: unknown[], stopReason = "compaction") => ({
  id: "m",
  type: "message",
  role: "assistant",
  model: "m",
  content,
  stop_reason: stopReason,
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
  expect(await compact(api.model())).toEqual({
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
  ["says 400 to the beta", 400, { error: { message: "Unexpected value `compact-2026-09-04` for `anthropic-beta`" } }],
  ["says 404", 404, {}],
  ["says 405", 405, {}],
])("a backend that %s has none", async (_, status, body) => {
  say(status, body);
  const model = api.model();
  expect(model.canCompact?.()).toBe(true);
  await expect(compact(model)).rejects.toMatchObject({ code: "invalid_request" });
  expect(model.canCompact?.()).toBe(false);
});

it("a backend that answers as if there were no parameter has none, and what that cost is told", async () => {
  say(200, { content: [{ type: "text", text: "hi" }], stop_reason: "end_turn", usage: figures(5, 6) });
  const model = api.model();
  expect(await compact(model)).toEqual({
    block: undefined,
    usage: { inputTokens: 5, outputTokens: 6, cacheReadTokens: 3, cacheWriteTokens: 4 },
  });
  expect(model.canCompact?.()).toBe(false);
});

it.each([
  ["has nothing to summarise", 400, { error: { message: "none", details: { error_code: "compaction_nothing" } } }],
  ["is too long", 400, { error: { message: "prompt is too long: 210000 tokens > 200000 maximum" } }],
  ["cannot be taken now", 529, { error: { message: "Overloaded" } }],
])("a conversation that %s does not keep others from being compacted", async (_, status, body) => {
  say(status, body);
  const model = api.model();
  await expect(compact(model)).rejects.toBeInstanceOf(ModelError);
  expect(model.canCompact?.()).toBe(true);
});

it.each([
  ["failed", compacted([{ ...BLOCK, content: null }])],
  ["was cut off at max_tokens", compacted([BLOCK], "max_tokens")],
  ["was refused", compacted([], "refusal")],
])("a summary that %s is none, has been paid for, and does not keep others from being made", async (_, body) => {
  say(200, body);
  const model = api.model();
  expect(await compact(model)).toMatchObject({ block: undefined, usage: { inputTokens: 10, outputTokens: 20 } });
  expect(model.canCompact?.()).toBe(true);
});

it("an answer that is no message is an error, and nobody knows what it cost", async () => {
  say(200, "<html>gateway</html>");
  const model = api.model();
  await expect(compact(model)).rejects.toMatchObject({ code: "broken_stream" });
  expect(model.canCompact?.()).toBe(true);
});

it("being asked again is noticed", async () => {
  api.behave = (response, n) =>
    n === 1
      ? response.writeHead(529, { "retry-after-ms": "1" }).end("{}")
      : response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(compacted([BLOCK])));
  const notices: ModelNotice[] = [];
  expect(await compact(api.model(), notices)).toMatchObject({ block: BLOCK });
  expect(notices).toEqual([{ kind: "retry", attempt: 1, status: 529, reason: "529" }]);
});

it("is offered for Claude only", () => {
  expect(api.model({ provider: "troupe.offline" }).compact).toBeUndefined();
});
