// What somebody is told who interrupted a question.
import { expect, test } from "vitest";

import { inWords, type ToolRun } from "../../../../../scripts/query/view/what-ran.ts";

const run = (tool: string, how: ToolRun["how"], readOnly = false): ToolRun => ({
  agent: "payments",
  tool,
  input: '{"invoice":"1"}',
  readOnly,
  how,
});

test("tools that act are named with their input, by how they ended; those that read are counted", () => {
  const runs = [run("pay", "ran"), run("refund", "broken"), run("post", "failed"), run("look", "ran", true)];
  expect(inWords(runs)).toBe(`Done before that, and not undone:
  payments: pay {"invoice":"1"}
Broken off, so it may have had its effect:
  payments: refund {"invoice":"1"}
Failed before that:
  payments: post {"invoice":"1"}
1 tool call only read.`);
});

test("nothing done is said as well", () => {
  expect(inWords([])).toBe("No tool had run that changes anything.");
  expect(inWords([run("look", "broken", true), run("look", "ran", true)])).toBe(
    "No tool had run that changes anything.\n2 tool calls only read.",
  );
});

test("its words cannot move the cursor", () => {
  const hostile = { ...run("pay\u001b[2J", "ran"), agent: "a\nb", input: "\u001b]52;c;AA\u0007" };
  expect(inWords([hostile])).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
});
