// Hooks: what docs/agents.md says of `onFailure` and `continue`.
import { expect, it } from "vitest";
import { ECHO, run, ScriptedModel } from "../scripted.ts";

const fails = () => {
  throw new Error("broken");
};

it('a SessionStart hook that fails with onFailure "block" keeps the session from starting', async () => {
  const model = new ScriptedModel({ text: "answer" });
  await run(model, { sessionStart: "startup", hooks: { SessionStart: [{ onFailure: "block", hooks: [fails] }] } });
  expect(model.requests).toEqual([]);
});

it("a SessionStart hook that says continue: false ends the turn", async () => {
  const model = new ScriptedModel({ text: "answer" });
  await run(model, { sessionStart: "startup", hooks: { SessionStart: [{ hooks: [() => ({ continue: false })] }] } });
  expect(model.requests).toEqual([]);
});

it("a PermissionRequest hook that says continue: false ends the turn", async () => {
  const call = { id: "e", name: "echo", json: '{"text":"x"}' };
  const model = new ScriptedModel({ calls: [call] }, { text: "went on" });
  const permissions = { preset: "full_access", mode: "default", allow: null, ask: ["echo"], deny: [] } as const;
  await run(model, {
    tools: [ECHO],
    permissions: { ...permissions, ask: ["echo"], deny: [] },
    hooks: {
      PermissionRequest: [
        {
          hooks: [
            () => ({
              continue: false,
              stopReason: "stop now",
              hookSpecificOutput: {
                hookEventName: "PermissionRequest" as const,
                decision: { behavior: "deny" as const },
              },
            }),
          ],
        },
      ],
    },
  });
  expect(model.requests).toHaveLength(1);
});
