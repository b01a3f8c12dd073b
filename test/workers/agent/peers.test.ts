// Asking other agents: by name over bindings, each question in a thread of its own, within a limit, canceled along with the task.
import { env } from "cloudflare:workers";
import { TaskState } from "@a2a-js/sdk";
import { describe, expect, it } from "vitest";
import { MAX_CHAIN } from "#shared/agent/peers/agent-peers.ts";
import { answerOf, ask, client, logOf, post, postSigned, send } from "./client.ts";

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

describe("query_agent", () => {
  it("asks a neighbour in a new thread of the session, and says which", async () => {
    const task = await send(
      await client("JSONRPC"),
      ask('call query_agent {"agent":"other","message":"hello"}', "first"),
    );
    expect(answerOf(task)).toMatch(/in first~tester\.1: hello\n\n\(thread 1\)$/);
  });

  it("opens another thread for the next question, and goes on with an old one when told to", async () => {
    const a2a = await client("JSONRPC");
    const asked = async (input: object) =>
      answerOf(await send(a2a, ask(`call query_agent ${JSON.stringify(input)}`, "second")));
    expect(await asked({ agent: "other", message: "one" })).toContain("second~tester.1");
    expect(await asked({ agent: "other", message: "two" })).toContain("second~tester.2");
    expect(await asked({ agent: "other", message: "three", thread: 1 })).toContain("second~tester.1");
    expect(await asked({ agent: "other", message: "four", thread: 9 })).toMatch(
      /There is no conversation 9 with other: open are 1, 2/,
    );
  });

  it("passes the trace of the query on, and counts what the peer used", async () => {
    const response = await post(
      "/message:send",
      {
        message: {
          messageId: "m",
          role: "ROLE_USER",
          parts: [{ text: 'call query_agent {"agent":"other","message":"hello"}' }],
        },
      },
      { traceparent: TRACEPARENT },
    );
    const { task } = await response.json<{ task: { artifacts: { parts: { text: string }[] }[]; metadata: object } }>();
    expect(task.artifacts[0]?.parts[0]?.text).toContain("0af7651916cd43dd8448eb211c80319c");
    expect(task.metadata).toMatchObject({
      traceId: "0af7651916cd43dd8448eb211c80319c",
      usage: { inputTokens: 120, outputTokens: 60 },
    });
  });

  it("refuses whoever is no neighbour: the schema names them all", async () => {
    const task = await send(await client("JSONRPC"), ask('call query_agent {"agent":"stranger","message":"hello"}'));
    expect(answerOf(task)).toMatch(/does not fit its schema/);
  });

  it("tells the model how a peer's task ended that failed", async () => {
    const task = await send(await client("JSONRPC"), ask('call query_agent {"agent":"other","message":"fail"}'));
    expect(answerOf(task)).toContain("The agent other did not answer: its task ended as TASK_STATE_FAILED: could not");
  });

  it("does not follow a peer to another address: the token is for the peer alone", async () => {
    const task = await send(await client("JSONRPC"), ask('call query_agent {"agent":"other","message":"move"}'));
    expect(answerOf(task)).toMatch(/The agent other did not answer: HTTP error for \/message:stream: 307/);
  });

  it("cancels the peer's task along with its own, at once", async () => {
    const a2a = await client("JSONRPC");
    const stream = a2a.sendMessageStream(ask('call query_agent {"agent":"other","message":"forever"}', "cancel-me"));
    const { value } = await stream.next();
    const id = value?.payload?.$case === "task" ? value.payload.value.id : "";
    const opened = { kind: "peer_task", agent: "other", taskId: "cancel-me~tester.1.1.task" };
    await expect.poll(() => logOf("cancel-me")).toContainEqual(expect.objectContaining(opened));
    const before = Date.now();
    const task = await a2a.cancelTask({ tenant: "", id, metadata: undefined });
    expect(task.status?.state).toBe(TaskState.TASK_STATE_CANCELED);
    await expect
      .poll(async () => (await env.PEER_OTHER.fetch("https://other/canceled")).json())
      .toContain("cancel-me~tester.1.1.task");
    expect(Date.now() - before).toBeLessThan(5_000);
  });

  it.each(["slow", "garbage"])("cancels a task that it cannot follow: %s", async (how) => {
    const a2a = await client("JSONRPC");
    const stream = a2a.sendMessageStream(ask(`call query_agent {"agent":"other","message":"${how}"}`, how));
    const { value } = await stream.next();
    await expect.poll(() => logOf(how)).toContainEqual(expect.objectContaining({ kind: "assistant" }));
    if (how === "slow") {
      // The question is on its way, and the peer has not yet said which task it opened.
      const id = value?.payload?.$case === "task" ? value.payload.value.id : "";
      await a2a.cancelTask({ tenant: "", id, metadata: undefined });
    }
    await expect
      .poll(async () => (await env.PEER_OTHER.fetch("https://other/canceled")).json(), { timeout: 3000 })
      .toContain(`${how}~tester.1.1.task`);
    for await (const _ of stream); // ends by itself
  });

  it("never gives a new conversation the number of one that is open, though one before it was refused", async () => {
    const a2a = await client("JSONRPC");
    const inputs = ["refuse", "hello"].map((message) => ({ agent: "other", message }));
    await send(a2a, ask(`both ${JSON.stringify(inputs)}`, "gap"));
    const task = await send(a2a, ask('call query_agent {"agent":"other","message":"new"}', "gap"));
    expect(answerOf(task)).toContain("in gap~tester.3: new");
  });

  it("ends a chain of agents at its limit, with a refusal that shows the chain", async () => {
    const chain = Array.from({ length: MAX_CHAIN - 1 }, (_, i) => (i % 2 === 0 ? "other" : "tester"));
    const response = await postSigned(
      "/message:send",
      {
        message: {
          messageId: "m",
          role: "ROLE_USER",
          parts: [{ text: 'call query_agent {"agent":"other","message":"again"}' }],
        },
      },
      { chain },
    );
    expect(await response.text()).toContain("other → tester → other → tester → other → tester → other → tester");
  });
});
