// Asking a peer, and going on with a question that an earlier life, or a round of approvals, had begun.
import { Role } from "@a2a-js/sdk";
import { expect, it } from "vitest";
import { dataPart, textMessage } from "#shared/a2a/message.ts";
import { askPeer } from "#shared/a2a/peer-client.ts";
import { InputRequired, type Peers, type Question } from "#shared/loop/tools/peers.ts";
import { queryAgent } from "#shared/tools/query-agent.ts";
import type { Step } from "#shared/loop/log/step.ts";
import { run, runToRest, ScriptedModel } from "../scripted.ts";
import { noInputAsked } from "../../../support/no-input-asked.ts";

it("answers that a peer refuses (too late, told before) do not cancel the peer's task, which is asked again right after", async () => {
  const paths: string[] = [];
  const fetchImpl: typeof fetch = async (input) => {
    const { pathname } = new URL(String(input instanceof Request ? input.url : input));
    paths.push(pathname);
    if (pathname.endsWith(":cancel"))
      return Response.json({ id: "t", contextId: "c", status: { state: "TASK_STATE_CANCELED" } });
    return noInputAsked();
  };
  const told = textMessage(Role.ROLE_USER, "answers", { contextId: "c", messageId: "m/1", taskId: "t" });
  const background: Promise<unknown>[] = [];
  const asked = askPeer({
    fetch: fetchImpl,
    origin: "https://other",
    sign: () => "t",
    traceparent: "",
    message: { ...told, parts: [dataPart({ approvals: [{ id: "ap", decision: "deny" }] })] },
    signal: new AbortController().signal,
    onTask: () => {},
    onBusy: () => {},
    waitUntil: (work) => void background.push(work),
    repeated: true,
  });
  await expect(asked).rejects.toThrow(/./);
  await Promise.allSettled(background);
  expect(paths.filter((path) => path.endsWith(":cancel"))).toEqual([]);
});

it("a question that a hook had changed goes on at the agent that it was put to, not at the one that the model named", async () => {
  const questions: Pick<Question, "agent" | "message">[] = [];
  const log: Step[] = [{ kind: "user", text: "hi" }];
  const approval = { id: "ap_1", agent: "deep", tool: "dig", input: {}, reason: "", expiresAt: 4e12 };
  const peers: Peers = {
    find: async () => [],
    leave: () => {},
    ask: async ({ agent, message }) => {
      questions.push({ agent, message });
      if (questions.length === 1) throw new InputRequired([approval]);
      return { text: "answer", thread: 1 };
    },
  };
  const profile = (id: string) => ({ id, description: "", skills: [] });
  const more = {
    tools: [queryAgent([profile("prod"), profile("sandbox")])],
    call: { agent: "tester", config: {}, env: {}, contextId: "context", taskId: "task", peers },
    hooks: {
      PreToolUse: [
        {
          hooks: [
            () => ({
              hookSpecificOutput: {
                hookEventName: "PreToolUse" as const,
                updatedInput: { agent: "sandbox", message: "redacted" },
              },
            }),
          ],
        },
      ],
    },
  };
  const call = { id: "q", name: "query_agent", json: JSON.stringify({ agent: "prod", message: "with a secret" }) };
  const first = await runToRest(new ScriptedModel({ calls: [call] }), { steps: log, ...more });
  expect(first.result.subtype).toBe("suspended");
  const ids = { toolUseId: "q", agent: "sandbox", contextId: "context~tester.1" };
  const steps: Step[] = [
    ...first.steps,
    { kind: "peer_call", ...ids, thread: 1, messageId: "m", message: "redacted", spanId: "s", at: 1 },
    { kind: "peer_task", ...ids, thread: 1, taskId: "t" },
    {
      kind: "peer_input",
      toolUseId: "q",
      agent: "sandbox",
      taskId: "t",
      approvals: [approval],
      askedAt: 1,
      spanIds: ["s"],
    },
    { kind: "approval_answer", id: "ap_1", decision: "allow", by: "client" },
  ];
  await run(new ScriptedModel({ text: "done" }), { steps, ...more, life: 2 });
  expect(questions).toEqual([
    { agent: "sandbox", message: "redacted" },
    { agent: "sandbox", message: "redacted" },
  ]);
});
