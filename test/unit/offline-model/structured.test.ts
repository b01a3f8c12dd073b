// Structured output of the offline model fits the schema, and says in it what it would have said in words.
import { expect, test } from "vitest";
import * as z from "zod";
import { decide } from "../../../workers/offline-model/decide.ts";
import { MessagesRequest } from "../../../workers/offline-model/api/request.ts";
import { searcherTools } from "./team.ts";

const QUESTION = "What is workerd?";
const found = "[1] workerd\nsource: workerd.md\nworkerd is the runtime of Cloudflare Workers. It is open source.";
const answered = [
  { role: "user", content: QUESTION },
  { role: "assistant", content: [{ type: "tool_use", id: "t1", name: "web_search", input: { query: "workerd" } }] },
  { role: "user", content: [{ type: "tool_result", tool_use_id: "t1", content: found }] },
];

function ask(schema: z.core.JSONSchema.BaseSchema, messages: unknown[] = answered) {
  const format = { type: "json_schema", schema };
  const request = { model: "offline", max_tokens: 1024, messages, tools: searcherTools, output_config: { format } };
  return decide(MessagesRequest.parse(request));
}

function answerIn<Schema extends z.ZodType>(schema: Schema): z.infer<Schema> {
  const decision = ask(z.toJSONSchema(schema));
  return schema.parse(JSON.parse("text" in decision ? decision.text : "null"));
}

const EXTRACTED = /^workerd is the runtime of Cloudflare Workers\. \[1\]/;

test("an object has all its fields, the extracted answer in the one for it", () => {
  const schema = z.strictObject({
    question: z.string(),
    answer: z.string(),
    points: z.int(),
    sure: z.boolean(),
    kind: z.enum(["person", "workerd"]),
    tags: z.array(z.string()),
    more: z.strictObject({ score: z.number().max(1), note: z.nullable(z.string()) }),
  });
  expect(answerIn(schema)).toMatchObject({
    question: QUESTION,
    answer: expect.stringMatching(EXTRACTED),
    points: 1,
    kind: "workerd",
  });
});

test.each([
  ["summary", z.strictObject({ title: z.string(), summary: z.string() }), "summary"],
  [
    "an optional text before a required title",
    z.strictObject({ title: z.string(), text: z.optional(z.string()) }),
    "text",
  ],
  ["the first free text where no name fits", z.strictObject({ on: z.iso.date(), notes: z.string() }), "notes"],
])("the answer stands in %s", (_, schema, field) => {
  const decision = ask(z.toJSONSchema(schema));
  const value: unknown = JSON.parse("text" in decision ? decision.text : "null");
  expect(value).toMatchObject({ [field]: expect.stringMatching(EXTRACTED) });
});

test("the answer stands in an inner object where the outer one has no text, and keeps to its length", () => {
  const schema = z.strictObject({ count: z.int(), inner: z.strictObject({ text: z.string().max(10) }) });
  expect(answerIn(schema).inner.text).toBe("workerd is");
});

test("a schema of a text alone gets the answer as a JSON string", () => {
  expect(answerIn(z.string())).toMatch(EXTRACTED);
});

test("tools are called before, as without a schema", () => {
  expect(ask(z.toJSONSchema(z.strictObject({ answer: z.string() })), answered.slice(0, 1))).toMatchObject({
    calls: [{ name: "web_search" }],
  });
});

test("a schema that is nested without end comes to an end", () => {
  let schema: Record<string, unknown> = { type: "string" };
  for (let level = 0; level < 50_000; level += 1) {
    schema = { type: "object", properties: { inner: schema }, required: ["inner"] };
  }
  const decision = ask(schema);
  expect("text" in decision && decision.text).toContain("inner");
});
