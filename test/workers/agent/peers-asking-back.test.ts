// AgentPeers: what an agent does with the log of a question, against a peer that is a function.
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { AgentPeers } from "#shared/agent/peers.ts";
import type { AgentEnv } from "#shared/agent/environment.ts";
import type { HookOutcome } from "#shared/loop/hooks/outcome.ts";
import type { Step } from "#shared/loop/step.ts";
import { randomContext } from "#shared/tracing/trace-context.ts";
import { SILENT } from "#shared/tracing/tracer.ts";
import type { Usage } from "#shared/tracing/usage.ts";

const AGENT = {
  job: "tests",
  id: "tester",
  url: "https://tester.test",
  model: { provider: "anthropic", name: "m", maxTokens: 1000, contextTokens: 100000, baseUrl: "https://model.test" },
  permissions: { preset: "full_access", mode: "default", allow: null, ask: [], deny: [] },
  approvals: { expiresMs: 3600000, policy: [] },
  queryBudget: null,
  budget: { maxTurns: 5, maxWallMs: 60000 },
  topology: "static",
  peers: [{ id: "other", binding: "PEER_OTHER" }],
  tracing: { enabled: true, content: "redacted" },
  secrets: [],
  heartbeat: { intervalMs: 1000 },
  config: {},
};

/** The peer's front door, as far as it is asked here; `paths` is what it was asked. */
function peer() {
  const paths: string[] = [];
  let isCanceled = false;
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const { pathname } = new URL(url);
    paths.push(pathname);
    if (pathname.endsWith(":cancel")) {
      isCanceled = true;
      return Response.json({ id: "t", contextId: "c", status: { state: "TASK_STATE_CANCELED" } });
    }
    const { message } = JSON.parse(String(init.body)) as { message: { taskId?: string } };
    if (message.taskId) {
      // Its own clock was first: the approval has expired there, and the task works again.
      const error = {
        code: 400,
        status: "FAILED_PRECONDITION",
        message: "Task t is working and asks for no input: wait for it, or cancel it.",
        details: [
          {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            reason: "UNSUPPORTED_OPERATION",
            domain: "a2a-protocol.org",
          },
        ],
      };
      return Response.json({ error }, { status: 400 });
    }
    const body = new ReadableStream({
      async start(controller) {
        const say = (event: object) =>
          controller.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(event)}\n\n`));
        say({ task: { id: "t", contextId: "c", status: { state: "TASK_STATE_WORKING" } } });
        await new Promise((resolve) => setTimeout(resolve, 100));
        const ids = { taskId: "t", contextId: "c" };
        if (!isCanceled)
          say({ artifactUpdate: { ...ids, artifact: { artifactId: "answer", parts: [{ text: "done without it" }] } } });
        say({
          statusUpdate: { ...ids, status: { state: isCanceled ? "TASK_STATE_CANCELED" : "TASK_STATE_COMPLETED" } },
        });
        controller.close();
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
  return { paths, fetch };
}

interface Turn {
  readonly fetch?: unknown;
  readonly hook?: (input: { readonly hook_event_name: string }) => HookOutcome;
  readonly onUsage?: (toolUseId: string, usage: Usage) => void;
}

/** Asks the peer as a turn with this log does. */
function asking(log: Step[], { fetch, hook = () => ({ systemMessages: [] }), onUsage = () => {} }: Turn = {}) {
  const own: AgentEnv = Object.assign({}, env, { AGENT, ...(fetch ? { PEER_OTHER: { fetch } } : {}) });
  const parent = randomContext();
  const peers = new AgentPeers(own, {
    contextId: "c",
    taskId: "task",
    asker: { principal: "local", chain: [], query: "q" },
    trace: { tracer: SILENT, task: parent, agent: "tester", contextId: "c" },
    earlierTurn: undefined,
    append: (step) => log.push(step),
    log,
    hook: async (input) => hook(input),
    sessionSteps: () => log,
    onUsage,
    waitUntil: () => {},
  });
  const signal = new AbortController().signal;
  const call = { parent, toolUseId: "q", idempotencyKey: "m", agent: "other", thread: undefined, signal };
  return (message = "dig", ordinal = 1) => peers.ask({ ...call, ordinal, message });
}

it("an approval that expires along a chain is a no for the peer, which then answers: its task is not canceled", async () => {
  const approval = { id: "ap", agent: "deep", tool: "dig", input: {}, reason: "", expiresAt: 1 };
  const ids = { toolUseId: "q", agent: "other" };
  const log: Step[] = [
    { kind: "user", text: "hi" },
    {
      kind: "peer_call",
      ...ids,
      thread: 1,
      contextId: "c~tester.1",
      messageId: "m",
      message: "dig",
      spanId: "0123456789abcdef",
      at: 1,
    },
    { kind: "peer_task", ...ids, thread: 1, contextId: "c~tester.1", taskId: "t" },
    { kind: "peer_input", ...ids, taskId: "t", approvals: [approval], askedAt: 1, spanIds: ["0123456789abcdef"] },
    { kind: "approval_answer", id: "ap", decision: "expired", by: "clock" },
  ];
  const { paths, fetch } = peer();
  const answer = await asking(log, { fetch })().catch((error: Error) => ({ text: error.message }));
  expect(answer.text).toBe("done without it");
  expect(paths.filter((path) => path.endsWith(":cancel"))).toEqual([]);
});

it('a SubagentStart hook that fails with onFailure "block" keeps the peer from being asked', async () => {
  const { paths, fetch } = peer();
  const hook = () => ({ block: "A SubagentStart hook failed", failed: true as const, systemMessages: [] });
  await asking([{ kind: "user", text: "hi" }], { fetch, hook })().catch(() => undefined);
  expect(paths).toEqual([]);
});

it("two questions of one call get an answer each, under message ids of their own, and a repetition gets the same again", async () => {
  const log: Step[] = [{ kind: "user", text: "hi" }];
  const ask = asking(log);
  const answers = [await ask("one of two"), await ask("two of two", 2)];
  expect(answers).toMatchObject([
    { text: expect.stringContaining("one of two"), thread: 1 },
    { text: expect.stringContaining("two of two"), thread: 2 },
  ]);
  const calls = log.filter((step) => step.kind === "peer_call");
  expect(calls).toMatchObject([{ messageId: "m" }, { messageId: "m.2", ordinal: 2 }]);
  expect(calls[0]).not.toHaveProperty("ordinal");
  const before = log.length;
  const again = asking(log);
  expect([(await again("one of two")).text, (await again("two of two", 2)).text]).toMatchObject([
    expect.stringContaining("one of two"),
    expect.stringContaining("two of two"),
  ]);
  expect(log).toHaveLength(before);
});

it("a call that is run again and asks something else gets no answer to what it had asked before", async () => {
  const log: Step[] = [{ kind: "user", text: "hi" }];
  await asking(log)("first time");
  await expect(asking(log)("second time")).rejects.toThrow(/has to ask the same again/);
});
