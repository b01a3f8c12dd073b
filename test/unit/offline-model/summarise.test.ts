// Compaction by rules: short, of the conversation's own words, with what is needed to go on.
import { expect, test } from "vitest";
import { COMPACTION_INSTRUCTIONS } from "#shared/loop/compaction/prompt.ts";
import { decide } from "../../../workers/offline-model/decide.ts";
import { MessagesRequest } from "../../../workers/offline-model/api/request.ts";
import { corpus, searcherTools } from "./team.ts";

const page = corpus.find(({ source }) => source === "workerd.md")?.text ?? "";
const exchange = (n: number, question: string, result: string, isError = false) => [
  { role: "user", content: question },
  {
    role: "assistant",
    content: [{ type: "tool_use", id: `t${n}`, name: "query_agent", input: { agent: "searcher", message: question } }],
  },
  { role: "user", content: [{ type: "tool_result", tool_use_id: `t${n}`, content: result, is_error: isError }] },
  { role: "assistant", content: [{ type: "text", text: `Answer ${n} is done.` }] },
];

function summary(messages: object[], system: unknown = COMPACTION_INSTRUCTIONS): string {
  const decision = decide(
    MessagesRequest.parse({ model: "offline", max_tokens: 1024, system, messages, tools: searcherTools }),
  );
  return "text" in decision ? decision.text : "calls tools";
}
const AND_NOW = { role: "user", content: "Summarise it now." };

test("says what was asked, which tools were used, what was found and what was answered, in its own words", () => {
  const text = summary([...exchange(1, "What is workerd?", page), AND_NOW]);
  expect(text).toContain("Asked: What is workerd?");
  expect(text).toContain("Tools used: query_agent: searcher");
  const found = /Found: (.+)/.exec(text)?.[1] ?? "";
  expect(found).toContain("workerd");
  for (const sentence of found.split(/(?<=\.) /)) expect(page).toContain(sentence);
  expect(text).toContain("Answered: Answer 1 is done.");
  expect(text).not.toContain("Summarise it now");
});

test("says what failed, and why", () => {
  const long = { role: "user", content: page };
  expect(
    summary([long, ...exchange(1, "What is KV?", "The agent searcher did not answer: it is gone", true), AND_NOW]),
  ).toContain("Failed: query_agent: The agent searcher did not answer: it is gone");
});

test.each([1, 5, 60])(
  "of %i exchanges is no longer than a fifth of them and 4,000 characters, and keeps the latest",
  (count) => {
    const messages = Array.from({ length: count }, (_, n) => exchange(n, `What is question ${n} about?`, page)).flat();
    const text = summary(messages);
    expect(text.length).toBeLessThanOrEqual(Math.min(4_000, JSON.stringify(messages).length / 5));
    expect(text).toContain(`What is question ${count - 1} about?`);
  },
);

test("of one long message quotes what carries it", () => {
  const text = summary([{ role: "user", content: page }]);
  expect(text).toMatch(/Asked: .*workerd/);
  expect(text.length).toBeLessThanOrEqual(page.length / 5 + 50);
});

test("is the same each time, also with further instructions and a prompt in blocks, and calls no tools", () => {
  const messages = [...exchange(1, "What is workerd?", page), AND_NOW];
  const blocks = [{ type: "text", text: `${COMPACTION_INSTRUCTIONS}\n\nKeep names.` }];
  expect(summary(messages, blocks)).toBe(summary(messages));
  expect(summary(messages)).not.toBe("calls tools");
});

test("is not written for other prompts", () => {
  expect(summary([{ role: "user", content: "What is workerd?" }], "You search.")).toBe("calls tools");
});
