// What is wrong with a definition is told when the Worker starts.
import { expect, test } from "vitest";
import { defineAgent } from "../../../shared/agent/define-agent.ts";

test("a hook's matcher that is no regular expression fails when the agent is defined", () => {
  const define = (matcher: string) =>
    defineAgent({
      name: "Guarded Agent",
      description: "",
      instructions: "",
      skills: [],
      tools: [],
      hooks: { PreToolUse: [{ matcher, hooks: [() => undefined] }] },
    });
  expect(() => define("web_(")).toThrow('The PreToolUse matcher "web_(" is no regular expression');
  expect(() => define("web_.*")).not.toThrow();
});
