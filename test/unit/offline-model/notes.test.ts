// What the loop itself says to the model is nobody's question, and a summary stands for the turns that it tells of.
import { expect, test } from "vitest";
import { asNote } from "#shared/loop/log/note.ts";
import { decide } from "../../../workers/offline-model/decide.ts";
import { MessagesRequest } from "../../../workers/offline-model/api/request.ts";
import { summarise } from "../../../workers/offline-model/answers/summarise.ts";
import { readTranscript } from "../../../workers/offline-model/reading/transcript.ts";

const text = (said: string) => ({ type: "text", text: said });
const user = (...said: string[]) => ({ role: "user", content: said.map(text) });
const assistant = (said: string) => ({ role: "assistant", content: [text(said)] });
const request = (messages: object[]) => MessagesRequest.parse({ model: "offline", max_tokens: 100, messages });

/** A summary is short, so what it is of has to be long. */
const LONG = text(asNote("x".repeat(3_000)));
const conversation = [
  { role: "user", content: [LONG, text("What is workerd?")] },
  assistant("A runtime."),
  user("And Miniflare?"),
  assistant("A simulator."),
];
const summary = asNote(`This is a summary:\n\n${summarise({ messages: request(conversation).messages })}`);

test("a summary is no question, and what was asked before it is remembered", () => {
  const { current, earlier } = readTranscript(request([user(summary, "What did I ask first?")]));
  expect(current.question).toBe("What did I ask first?");
  expect(earlier.map(({ question, answer }) => [question, answer])).toEqual([
    ["What is workerd?", "A runtime."],
    ["And Miniflare?", "A simulator."],
  ]);
  expect(JSON.stringify(decide(request([user(summary, "What did I ask first?")])))).toContain("What is workerd?");
});

test("a summary of a summary still tells of both parts", () => {
  const { messages } = request([
    { role: "user", content: [LONG, text(summary), text("What is a Worker?")] },
    assistant("Code."),
  ]);
  const again = summarise({ messages });
  expect(again).toContain("What is a Worker?");
  expect(again).toContain("workerd");
});

test("what a person says after the results of tools is a new question; a hook's words there are none", () => {
  const called = {
    role: "assistant",
    content: [{ type: "tool_use", id: "t", name: "pay", input: {} }],
  };
  const results = [{ type: "tool_result", tool_use_id: "t", content: "denied", is_error: true }];
  const after = (said: string) =>
    request([user("Pay it."), called, { role: "user", content: [...results, text(said)] }]);
  expect(readTranscript(after("What is workerd?"))).toMatchObject({
    earlier: [{ question: "Pay it.", calls: [{ name: "pay", isError: true }] }],
    current: { question: "What is workerd?" },
  });
  expect(readTranscript(after(asNote("Mind the units."))).current.question).toBe("Pay it.");
});
