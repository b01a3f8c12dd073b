// The offline model in workerd, spoken to by the real Messages API client.
import Anthropic from "@anthropic-ai/sdk";
import { expect, test } from "vitest";
import app from "../../workers/offline-model/index.ts";

const tools = [
  {
    name: "web_search",
    description: "Searches for passages.",
    input_schema: { type: "object" as const, properties: { query: { type: "string" } }, required: ["query"] },
  },
];
const ask = { model: "offline", max_tokens: 1000, messages: [{ role: "user" as const, content: "What is workerd?" }] };
const found = `[1] workerd\nsource: workerd.md\nworkerd is the runtime of Cloudflare Workers. It is open source.`;
const answered = [
  ...ask.messages,
  {
    role: "assistant" as const,
    content: [{ type: "tool_use" as const, id: "t1", name: "web_search", input: { query: "workerd" } }],
  },
  { role: "user" as const, content: [{ type: "tool_result" as const, tool_use_id: "t1", content: found }] },
];

function client(settings?: object) {
  return new Anthropic({
    apiKey: "none",
    baseURL: "http://localhost",
    maxRetries: 0,
    fetch: async (input, init) => app.fetch(new Request(input, init)),
    defaultHeaders: settings === undefined ? {} : { "x-offline-settings": JSON.stringify(settings) },
  });
}
const post = (body: string, path = "/v1/messages") => app.request(`http://localhost${path}`, { method: "POST", body });

test("a request that is nested without end is refused in words", async () => {
  const response = await post(`{"model":"offline","messages":${"[".repeat(100_000)}`);
  expect(response.status).toBe(400);
  expect(await response.text()).toContain("nested more than 256 levels deep");
});

test("a streamed tool call arrives whole", async () => {
  const message = await client()
    .messages.stream({ ...ask, tools })
    .finalMessage();
  expect(message).toMatchObject({
    model: "offline",
    stop_reason: "tool_use",
    content: [{ type: "tool_use", name: "web_search", input: { query: "workerd" } }],
  });
  expect(message.usage.input_tokens).toBeGreaterThan(10);
});

test("streamed text comes in pieces and equals the answer that is not streamed", async () => {
  const pieces: string[] = [];
  const stream = client({ ttftMs: 1, tokensPerSecond: 100_000 }).messages.stream({ ...ask, messages: answered, tools });
  stream.on("text", (piece) => pieces.push(piece));
  const streamed = await stream.finalMessage();
  const whole = await client().messages.create({ ...ask, messages: answered, tools });
  expect(pieces.length).toBeGreaterThan(3);
  expect(streamed.content).toEqual(whole.content);
  expect(streamed).toMatchObject({ id: whole.id, stop_reason: "end_turn" });
  expect(pieces.join("")).toMatch(/^workerd is the runtime of Cloudflare Workers\. \[1\]/);
});

test("the same request gives the same bytes", async () => {
  const body = JSON.stringify({ ...ask, tools, stream: true });
  const [one, two] = await Promise.all([post(body), post(body)]);
  expect(await one.text()).toBe(await two.text());
});

test("the answer ends at max_tokens and at a stop sequence", async () => {
  expect(await client().messages.create({ ...ask, messages: answered, max_tokens: 5 })).toMatchObject({
    stop_reason: "max_tokens",
  });
  expect(
    await client().messages.create({ ...ask, tools, messages: answered, stop_sequences: ["runtime"] }),
  ).toMatchObject({
    stop_reason: "stop_sequence",
    stop_sequence: "runtime",
    content: [{ text: "workerd is the " }],
  });
});

test("the answer is JSON where a schema asks for it", async () => {
  const schema = { type: "object", properties: { answer: { type: "string" } }, required: ["answer"] };
  const format = { type: "json_schema" as const, schema };
  const { content } = await client().messages.create({ ...ask, messages: answered, tools, output_config: { format } });
  const [block] = content;
  expect(JSON.parse(block?.type === "text" ? block.text : "null")).toEqual({
    answer: expect.stringContaining("workerd is the runtime of Cloudflare Workers. [1]"),
  });
});

test("tokens are characters divided by four", async () => {
  const { input_tokens } = await client().messages.countTokens({
    model: "offline",
    messages: [{ role: "user", content: "x".repeat(4000) }],
  });
  expect(input_tokens).toBeGreaterThanOrEqual(1000);
  expect(input_tokens).toBeLessThan(1030);
});

test.each([
  ["{", "not valid JSON"],
  ["{}", "model: Field required"],
  [JSON.stringify({ ...ask, max_tokens: undefined }), "max_tokens: Field required"],
  [JSON.stringify({ ...ask, messages: [] }), "at least one message is required"],
  [JSON.stringify({ ...ask, messages: [{ role: "system", content: "x" }] }), "messages.0.role"],
  [
    JSON.stringify({ ...ask, messages: answered.slice(0, 2).concat(answered.slice(0, 1)) }),
    "without `tool_result` blocks immediately after: t1",
  ],
  [JSON.stringify({ ...ask, messages: [answered[2]] }), "unexpected `tool_use_id`"],
  [
    JSON.stringify({ ...ask, messages: [{ role: "assistant", content: "x" }] }),
    'first message must use the "user" role',
  ],
])("a malformed request (%#) gets the API's 400", async (body, message) => {
  const response = await post(body);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    type: "error",
    error: { type: "invalid_request_error", message: expect.stringContaining(message) },
    request_id: expect.stringMatching(/^req_/),
  });
});

test.each([
  ["401", "authentication_error"],
  ["403", "permission_error"],
  ["429", "rate_limit_error"],
  ["500", "api_error"],
  ["529", "overloaded_error"],
])("the fault %s is that status", async (fault, type) => {
  await expect(client({ fault }).messages.create(ask)).rejects.toMatchObject({ status: Number(fault), type });
});

test.each(["cut", "malformed", "error_event"])("the fault %s breaks the stream", async (fault) => {
  await expect(
    client({ fault })
      .messages.stream({ ...ask, messages: answered, tools })
      .finalMessage(),
  ).rejects.toThrow(/./);
});

test("a stalled stream stays open and silent", async () => {
  const response = await app.request("http://localhost/v1/messages", {
    method: "POST",
    headers: { "x-offline-settings": JSON.stringify({ fault: "stall" }) },
    body: JSON.stringify({ ...ask, messages: answered, stream: true }),
  });
  const reader = response.body?.getReader();
  let seen = "";
  while (!seen.includes("content_block_delta")) seen += new TextDecoder().decode((await reader?.read())?.value);
  const silent = Symbol("silent");
  expect(await Promise.race([reader?.read(), scheduler.wait(30).then(() => silent)])).toBe(silent);
  await reader?.cancel();
});

test("garbage tool input does not parse", async () => {
  const response = await app.request("http://localhost/v1/messages", {
    method: "POST",
    headers: { "x-offline-settings": JSON.stringify({ fault: "garbage_tool_input" }) },
    body: JSON.stringify({ ...ask, tools, stream: true }),
  });
  const data = (await response.text())
    .split("\n")
    .filter((line) => line.includes("partial_json"))
    .map((line) => JSON.parse(line.slice(6)));
  expect(() => JSON.parse(data.map(({ delta }) => delta.partial_json).join(""))).toThrow(SyntaxError);
});

test("unknown settings are refused", async () => {
  await expect(client({ fault: "flood" }).messages.create(ask)).rejects.toMatchObject({ status: 400 });
});

test("what a foreign page or a malformed credential sends is refused in the API's own form", async () => {
  const ask = async (url: string, headers: Record<string, string>) => app.request(url, { method: "POST", headers });
  const foreign = await ask("http://evil.example/v1/messages", {});
  expect([foreign.status, await foreign.json()]).toEqual([
    403,
    expect.objectContaining({ type: "error", error: expect.objectContaining({ type: "permission_error" }) }),
  ]);
  const page = { origin: "http://evil.example" };
  expect((await ask("http://localhost/v1/messages", page)).status).toBe(403);
  for (const authorization of ["Basic x", "Bearer a b", "Token x"])
    expect((await ask("http://localhost/v1/messages", { authorization })).status).toBe(401);
});
