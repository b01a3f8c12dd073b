// Agents that Troupe has not deployed: any A2A agent by its URL.
import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

import { expect, test } from "vitest";

import { addressed } from "../../../../scripts/query/addressed.ts";
import { ask, type Request } from "../../../../scripts/query/ask.ts";
import { pastTurns, requireSession } from "../../../../scripts/query/past-turns.ts";
import { agentDouble, piece, status, task } from "./agent-double.ts";

const QUESTION: Request = { is: "question", text: "hello", session: undefined };

const LISTENER = {
  signal: new AbortController().signal,
  patienceMs: 200,
  pauseMs: 5,
  onText: () => {},
  onTrace: () => {},
  onBroken: () => {},
  onBusy: () => {},
};

type Answer = (method: string) => object;

/** An agent that speaks JSON-RPC alone and does not stream. */
async function plainAgent(answer: Answer, version = "1.0") {
  const server = createServer((request, response) => {
    void (async () => {
      response.setHeader("content-type", "application/json");
      if (request.method === "GET") {
        if (request.url !== "/agents/a/.well-known/agent-card.json" && request.url !== "/cards/a.json")
          response.statusCode = 404;
        return response.end(JSON.stringify(card(version)));
      }
      const { id, method } = JSON.parse(await text(request)) as { id: number; method: string };
      response.end(JSON.stringify({ jsonrpc: "2.0", id, ...answer(method) }));
    })();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  const card = (protocolVersion: string) => ({
    name: "Plain",
    description: "",
    version: "1",
    ...(protocolVersion === "1.0"
      ? { supportedInterfaces: [{ url: `${origin}/rpc`, protocolBinding: "JSONRPC", protocolVersion }] }
      : { url: `${origin}/rpc`, preferredTransport: "JSONRPC", protocolVersion: "0.3.0" }),
    capabilities: { streaming: false },
    defaultInputModes: ["text/plain"],
    defaultOutputModes: ["text/plain"],
    skills: [],
  });
  return {
    origin,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

test.each(["/agents/a", "/agents/a/", "/cards/a.json"])(
  "is found by its URL %s, and a bare message is its answer",
  async (path) => {
    await using agent = await plainAgent(() => ({
      result: { message: { messageId: "m", contextId: "c", role: "ROLE_AGENT", parts: [{ text: "Hello yourself" }] } },
    }));
    const answer = await ask(await addressed(agent.origin + path, undefined), QUESTION, LISTENER);
    expect(answer).toMatchObject({ state: "completed", answer: "Hello yourself", contextId: "c", traceId: null });
  },
);

test("may speak A2A 0.3", async () => {
  await using agent = await plainAgent(
    (method) => ({
      result: {
        kind: "message",
        messageId: "m",
        contextId: "c",
        role: "agent",
        parts: [{ kind: "text", text: `heard by ${method}` }],
      },
    }),
    "0.3",
  );
  const answer = await ask(await addressed(`${agent.origin}/agents/a`, undefined), QUESTION, LISTENER);
  expect(answer).toMatchObject({ state: "completed", answer: "heard by message/send" });
});

test("that refuses over JSON-RPC is not asked again: its words are shown", async () => {
  let asked = 0;
  await using agent = await plainAgent(() => {
    asked += 1;
    return { error: { code: -32602, message: "No such thing here" } };
  });
  await expect(ask(await addressed(`${agent.origin}/agents/a`, undefined), QUESTION, LISTENER)).rejects.toThrow(
    "The agent refused: No such thing here",
  );
  expect(asked).toBe(1);
});

test("that does not answer is named, without advice on a job", async () => {
  const to = await addressed("http://127.0.0.1:1/", undefined);
  await expect(ask(to, QUESTION, LISTENER)).rejects.toMatchObject({
    message: expect.stringContaining("The agent at http://127.0.0.1:1/ does not answer") as unknown,
    next: "",
  });
});

test("is no URL with a password, and has no other agents", async () => {
  await expect(addressed("https://me:secret@example.org", undefined)).rejects.toThrow("a password");
  await expect(addressed("https://", undefined)).rejects.toThrow("is no URL");
  await expect(addressed("https://example.org", "searcher")).rejects.toThrow("--agent names an agent of a job");
});

test("gets files after the text", async () => {
  await using agent = await agentDouble((_, stream) => {
    stream.event(task("WORKING"));
    stream.event(piece("read", false));
    stream.event(status("COMPLETED"));
    stream.end();
  });
  const file = {
    content: { $case: "raw", value: Buffer.from("abc") },
    filename: "a.txt",
    mediaType: "text/plain",
  } as const;
  const files = [{ ...file, metadata: undefined }];
  const to = { job: undefined, url: agent.url };
  await ask(to, { ...QUESTION, files }, LISTENER);
  expect(agent.messages[0]).toMatchObject({
    parts: [{ text: "hello" }, { raw: Buffer.from("abc").toString("base64"), filename: "a.txt" }],
  });
});

test("a session that an agent does not know is said, and one that cannot list sessions is believed", async () => {
  const listing = (tasks: readonly object[]) => async () => {
    await using agent = await plainAgent(() => ({
      result: { tasks, nextPageToken: "", pageSize: 1, totalSize: tasks.length },
    }));
    const to = await addressed(`${agent.origin}/agents/a`, undefined);
    await requireSession(to, "s1", LISTENER.signal);
    return await pastTurns(to, "s1", LISTENER.signal);
  };
  const turn = {
    id: "t1",
    contextId: "s1",
    status: { state: "TASK_STATE_COMPLETED", timestamp: "2026-01-01T00:00:00Z" },
    history: [{ messageId: "m", role: "ROLE_USER", parts: [{ text: "why?" }] }],
    artifacts: [{ artifactId: "a", parts: [{ text: "because" }] }],
  };
  await expect(listing([])()).rejects.toThrow('knows no session "s1"');
  await expect(listing([{ ...turn, contextId: "other" }])()).rejects.toThrow('knows no session "s1"');
  expect(await listing([turn])()).toEqual([
    { taskId: "t1", question: "why?", answer: "because", state: "completed", at: "2026-01-01T00:00:00Z" },
  ]);
  await using silent = await plainAgent(() => ({ error: { code: -32601, message: "Method not found" } }));
  const to = await addressed(`${silent.origin}/agents/a`, undefined);
  expect(await requireSession(to, "s1", LISTENER.signal)).toBeUndefined();
});
