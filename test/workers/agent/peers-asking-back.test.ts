// AgentPeers: what an agent does with the log of a question, against a peer that is a function.
import { describe, expect, it } from "vitest";
import type { HookOutcome } from "#shared/loop/hooks/outcome.ts";
import { InputRequired } from "#shared/loop/tools/peers.ts";
import type { Step } from "#shared/loop/log/step.ts";
import { TurnStopped } from "#shared/loop/log/stopped.ts";
import type { Usage } from "#shared/budget/usage.ts";
import { CollectingTracer } from "../../support/collecting-tracer.ts";
import { noInputAsked } from "../../support/no-input-asked.ts";
import { approvalOf, asking, asksFor, COMPLETED, EXPIRES_MS, peerSaying } from "./asking.ts";

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
    // Its own clock was first: the approval has expired there, and the task works again.
    if (message.taskId) return noInputAsked();
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

const begun = (): Step[] => [{ kind: "user", text: "hi" }];
const answered = (id: string, decision: "allow" | "deny" | "expired", reason?: string): Step => {
  const by = decision === "expired" ? "clock" : "client";
  return { kind: "approval_answer", id, decision, by, ...(reason === undefined ? {} : { reason }) };
};

/** Asks until the peer asks back; resolves to what it asks. */
async function askedBack(ask: () => Promise<unknown>) {
  const error = await ask().catch((thrown: unknown) => thrown);
  if (!(error instanceof InputRequired)) throw new Error(`It did not ask back: ${String(error)}`);
  return error.approvals;
}

describe("what a peer asks back", () => {
  it("expires when the peer says, but neither at once nor later than this agent lets a question wait", async () => {
    const soon = Date.now() + 60_000;
    const [past, far] = [approvalOf("past", 1), approvalOf("far", 4e12)];
    const { fetch } = peerSaying(asksFor(past, approvalOf("soon", soon), far));
    const before = Date.now();
    const approvals = await askedBack(asking(begun(), { fetch }));
    const after = Date.now();
    const [first, second, third] = approvals.map(({ expiresAt }) => expiresAt);
    expect(first).toBeGreaterThanOrEqual(before + 1_000);
    expect(first).toBeLessThanOrEqual(after + 1_000);
    expect(second).toBe(soon);
    expect(third).toBeGreaterThanOrEqual(before + EXPIRES_MS);
    expect(third).toBeLessThanOrEqual(after + EXPIRES_MS);
  });

  it("keeps its span when another of its questions was answered first", async () => {
    const tracer = new CollectingTracer();
    const [one, two] = [approvalOf("one"), approvalOf("two")];
    const { fetch } = peerSaying(asksFor(one, two), asksFor(two));
    const log = begun();
    await askedBack(asking(log, { fetch, tracer }));
    log.push(answered("one", "allow"));
    await askedBack(asking(log, { fetch, tracer }));
    const [first, second] = log.filter((step) => step.kind === "peer_input");
    expect(second?.spanIds).toEqual([first?.spanIds[1]]);
    expect(tracer.spans.filter(({ name }) => name.startsWith("approval"))).toHaveLength(2);
  });

  it.each([
    ["asks something else instead", asksFor(approvalOf("three")), () => undefined, ["peer_input"]],
    ["answers, and the call asks the next question", COMPLETED, (ask: () => Promise<unknown>) => ask(), ["peer_call"]],
  ] as const)("is void with its span ended once the peer %s", async (_, said, then, [next]) => {
    const tracer = new CollectingTracer();
    const { fetch } = peerSaying(asksFor(approvalOf("one"), approvalOf("two")), said, COMPLETED);
    const log = begun();
    await askedBack(asking(log, { fetch, tracer }));
    log.push(answered("one", "allow"));
    const again = asking(log, { fetch, tracer });
    await again().catch(() => undefined);
    await then(() => again("what else?", 2));
    const at = log.findLastIndex(({ kind }) => kind === next);
    expect(log[at - 1]).toEqual({ kind: "approval_answer", id: "two", decision: "void", by: "peer" });
    const input = log.find((step) => step.kind === "peer_input");
    const ends = tracer.spans.filter(({ attributes }) => attributes["troupe.approval.decided_by"] === "peer");
    expect(ends.map(({ spanId }) => spanId)).toEqual([input?.spanIds[1]]);
  });

  it.each([
    ["allow", undefined, { decision: "allow" }],
    ["deny", undefined, { decision: "deny" }],
    ["deny", "too dear", { decision: "deny", reason: "too dear" }],
    ["expired", undefined, { decision: "deny", reason: "Nobody approved it in time, which counts as a no." }],
  ] as const)("is told what was answered: %s (%s)", async (decision, reason, told) => {
    const { heard, fetch } = peerSaying(asksFor(approvalOf("one")), COMPLETED);
    const log = begun();
    await askedBack(asking(log, { fetch }));
    log.push(answered("one", decision, reason));
    expect(await asking(log, { fetch })()).toMatchObject({ text: "dug" });
    expect(heard.at(-1)?.parts.map(({ data }) => data)).toEqual([{ approvals: [{ id: "one", ...told }] }]);
  });

  it("is to be told to the hooks of the agent that a client talks to, each question once, and of no others", async () => {
    const questions = [approvalOf("one"), approvalOf("two")] as const;
    const untold = async (ask: () => Promise<unknown>) => {
      const error = await ask().catch((thrown: unknown) => thrown);
      return error instanceof InputRequired ? error.untold.map(({ id }) => id) : error;
    };
    const log = begun();
    const { fetch } = peerSaying(asksFor(...questions), asksFor(questions[1]));
    expect(await untold(asking(log, { fetch }))).toEqual(["one", "two"]);
    log.push(answered("one", "allow"));
    expect(await untold(asking(log, { fetch }))).toEqual([]);
    const between = peerSaying(asksFor(questions[0]));
    expect(await untold(asking(begun(), { fetch: between.fetch, chain: ["entry"] }))).toEqual([]);
  });

  it("stands before any hook is waited for: the time of the call may be up meanwhile", async () => {
    const { fetch } = peerSaying(asksFor(approvalOf("one")));
    const log = begun();
    const hook = ({ hook_event_name }: { readonly hook_event_name: string }) => {
      if (hook_event_name === "Notification") throw new Error("A hook was waited for.");
      return undefined;
    };
    await askedBack(asking(log, { fetch, hook }));
    expect(log.at(-1)?.kind).toBe("peer_input");
  });

  it("and nobody can give ends its task: the peer does not wait on", async () => {
    const { canceled, fetch } = peerSaying(asksFor());
    const log = begun();
    await expect(asking(log, { fetch })()).rejects.toThrow(/it asks for input that cannot be given/);
    await expect.poll(() => canceled).toEqual(["/tasks/t:cancel"]);
    expect(log.map(({ kind }) => kind)).not.toContain("peer_input");
  });
});

it("a peer whose answer was not delivered is told when nobody will; one that was asked in this life hears of it by itself", async () => {
  const { canceled, fetch } = peerSaying(asksFor(approvalOf("one")), COMPLETED);
  const log = begun();
  await askedBack(asking(log, { fetch }));
  log.push(answered("one", "allow"));
  const again = asking(log, { fetch });
  again.leave();
  await expect.poll(() => canceled).toEqual(["/tasks/t:cancel"]);
  await again();
  again.leave();
  await new Promise((resolve) => setTimeout(resolve));
  expect(canceled).toHaveLength(1);
});

it("a peer whose answer was not delivered is told though an earlier question of the call was asked again", async () => {
  const { canceled, fetch } = peerSaying(COMPLETED, asksFor(approvalOf("one")));
  const log = begun();
  const first = asking(log, { fetch });
  await first("one of two");
  await askedBack(() => first("two of two", 2));
  log.push(answered("one", "allow"));
  const again = asking(log, { fetch });
  await again("one of two");
  again.leave();
  await expect.poll(() => canceled).toHaveLength(1);
});

describe("hooks around a question", () => {
  const saying = (event: string, outcome: Partial<HookOutcome>) => ({
    hook: (input: { readonly hook_event_name: string }) =>
      input.hook_event_name === event ? { systemMessages: [], ...outcome } : undefined,
  });

  it("SubagentStart adds its context to the message, and a repetition asks what was asked", async () => {
    const { heard, fetch } = peerSaying();
    const log = begun();
    const hook = saying("SubagentStart", { additionalContext: "Mind the cables." });
    for (let time = 0; time < 2; time++) await asking(log, { fetch, ...hook })();
    const message = "dig\n\nMind the cables.";
    expect(heard.map(({ parts }) => parts[0]?.text)).toEqual([message, message]);
    expect(log[1]).toMatchObject({ kind: "peer_call", message });
  });

  it("SubagentStart can end the turn instead: the peer is not asked", async () => {
    const { heard, fetch } = peerSaying();
    const log = begun();
    const asked = asking(log, { fetch, ...saying("SubagentStart", { stop: "Enough." }) })();
    await expect(asked).rejects.toEqual(new TurnStopped("Enough."));
    expect([heard.length, log.length]).toEqual([0, 1]);
  });

  it("SubagentStop adds what it says to the answer, and can end the turn after it", async () => {
    const { fetch } = peerSaying();
    const words = { block: "Look again.", additionalContext: "It was in a hurry." };
    const answer = await asking(begun(), { fetch, ...saying("SubagentStop", { ...words, stop: "Enough." }) })();
    expect(answer).toEqual({ text: "dug\n\nLook again.\n\nIt was in a hurry.", thread: 1, stop: "Enough." });
  });
});

it("each question of a call tells what it cost, once in each life", async () => {
  const USAGE = { inputTokens: 1, outputTokens: 2, cacheReadTokens: 3, cacheWriteTokens: 4 };
  const { fetch } = peerSaying(...Array.from({ length: 2 }, () => ({ ...COMPLETED, metadata: { usage: USAGE } })));
  const used: [string, Usage][] = [];
  const ask = asking(begun(), { fetch, onUsage: (...each) => used.push(each) });
  await ask("one");
  await ask("two", 2);
  expect(used).toEqual([
    ["q", USAGE],
    ["q", USAGE],
  ]);
});
