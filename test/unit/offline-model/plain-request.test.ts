// The short way of parsing must not differ from the schema, not even in the order of fields, of which ids are made.
import { expect, test } from "vitest";
import { parseMessages } from "../../../workers/offline-model/api/plain-request.ts";
import { MessagesRequest } from "../../../workers/offline-model/api/request.ts";

const RESULT = { type: "tool_result", content: "found", tool_use_id: "t1" };
const PLAIN = {
  model: "offline",
  system: "You search.",
  messages: [
    { role: "user", content: "What is a tide?" },
    {
      content: [
        { text: "I look.", type: "text", citations: null },
        { type: "tool_use", id: "t1", name: "search", input: { query: "tide" }, caller: { type: "direct" } },
      ],
      role: "assistant",
    },
    { role: "user", content: [RESULT, { type: "text", text: "Go on." }] },
  ],
  tools: [
    { cache_control: { type: "ephemeral" }, name: "search", input_schema: { type: "object" } },
    { name: "read", description: "Reads.", input_schema: { type: "object" }, strict: true },
  ],
  max_tokens: 100,
  stream: true,
};

/** The parsed request or the mistakes, as JSON, which shows the order of fields. */
function both(body: unknown): string[] {
  const copy = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  return [parseMessages(copy(body)), MessagesRequest.safeParse(copy(body))].map(({ data, error }) =>
    JSON.stringify(data === undefined ? error : [data.system, data.messages, data.tools]),
  );
}

test("fields come in the schema's order, whatever theirs was", () => {
  const [short, bySchema] = both(PLAIN);
  expect(short).toBe(bySchema);
  expect(short).toContain('{"type":"tool_result","tool_use_id":"t1","content":"found"}');
});

const CHANGED: readonly object[] = [
  {},
  { messages: [] },
  { messages: [{ role: "system", content: "x" }] },
  { messages: [{ role: "user" }] },
  { messages: [{ role: "user", content: [{ type: "image", source: {} }] }] },
  { messages: [{ role: "user", content: [{ type: "text" }] }] },
  { messages: [{ role: "user", content: [{ ...RESULT, content: [{ type: "text", text: "x" }] }] }] },
  { messages: [{ role: "user", content: [{ ...RESULT, content: null }] }] },
  { messages: [{ role: "user", content: [{ ...RESULT, is_error: "no" }] }] },
  { messages: [{ role: "user", content: [{ is_error: true, ...RESULT }] }] },
  { messages: [{ role: "user", content: [{ type: "tool_use", id: "a", name: "b", input: [] }] }] },
  { model: "" },
  { model: undefined },
  { system: [{ type: "text", text: "x" }] },
  { system: 1 },
  { tools: [{ name: "" }] },
  { tools: [{ name: "a", description: 1 }] },
  { tools: [{ name: "a", input_schema: [] }] },
  { tools: {} },
  { max_tokens: 0 },
  { max_tokens: 1.5 },
  { max_tokens: 1e20 },
  { max_tokens: undefined },
  { stream: 1 },
  { stop_sequences: ["a"] },
  { stop_sequences: [1] },
  { tool_choice: { type: "any" } },
  { tool_choice: { type: "other" } },
  { output_config: { format: null } },
  { output_config: 1 },
  { toString: 1, constructor: { a: 1 } },
];

test.for(CHANGED)("a request with %j is taken or refused as the schema does it", (more) => {
  const [short, bySchema] = both({ ...PLAIN, ...more });
  expect(short).toBe(bySchema);
});

test.for<unknown>([null, [], "x", 1, {}])("%j is refused as the schema does it", (body) => {
  const [short, bySchema] = both(body);
  expect(short).toBe(bySchema);
});

test("a field __proto__ is left to the schema", () => {
  const body = '{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x","__proto__":{"a":1}}]}';
  expect(JSON.stringify(parseMessages(JSON.parse(body)))).toBe(
    JSON.stringify(MessagesRequest.safeParse(JSON.parse(body))),
  );
});
