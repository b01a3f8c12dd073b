// The Messages API client and the loop over real sockets: against a mock of the API, and against a raw server for what no mock does.
import { createServer, type Server, type ServerResponse } from "node:http";
import { LLMock } from "@copilotkit/aimock";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { messagesApi } from "#shared/models/messages-api.ts";
import { randomContext } from "#shared/tracing/trace-context.ts";
import { CollectingTracer } from "../../support/collecting-tracer.ts";
import { run } from "../loop/scripted.ts";

const api = (baseUrl: string, idleLimitMs?: number) =>
  messagesApi({
    baseUrl,
    apiKey: "test",
    model: "claude-sonnet-5-5",
    provider: "anthropic",
    maxTokens: 100,
    fetch,
    ...(idleLimitMs ? { idleLimitMs } : {}),
  });

describe("against a mock of the Messages API", () => {
  const mock = new LLMock({ port: 0 });
  let url = "";
  beforeAll(async () => {
    url = await mock.start();
  });
  afterAll(() => mock.stop());
  afterEach(() => void mock.reset());

  it("a streamed tool loop comes to its answer", async () => {
    mock.on(
      { hasToolResult: false },
      { toolCalls: [{ id: "t1", name: "echo", arguments: '{"text":"from the tool"}' }] },
    );
    mock.on({ hasToolResult: true }, { content: "the answer" });
    const { result, steps } = await run(api(url));
    expect(result).toMatchObject({ subtype: "success", text: "the answer", turns: 2 });
    expect(steps.find(({ kind }) => kind === "tool_result")).toMatchObject({
      content: "from the tool",
      isError: false,
    });
  });

  it.each([
    [401, /ANTHROPIC_API_KEY/],
    [403, /does not allow this key/],
  ])("status %i is told as such, once, and not retried", async (status, message) => {
    mock.on({}, { error: { message: "no", type: "authentication_error" }, status });
    const { result } = await run(api(url));
    expect(result).toMatchObject({ subtype: "error_during_execution", message: expect.stringMatching(message) });
    expect(mock.getRequests()).toHaveLength(1);
  });
});

describe("against a server that misbehaves", () => {
  let server: Server;
  let url = "";
  let behave: (response: ServerResponse, n: number) => void;
  let requests = 0;
  beforeAll(async () => {
    server = createServer((request, response) => {
      request.resume();
      behave(response.setHeader("content-type", "text/event-stream"), ++requests);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  });
  afterEach(() => (requests = 0));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const event = (data: { type: string } & Record<string, unknown>) =>
    `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
  const usage = { input_tokens: 1, output_tokens: 1 };
  const BEGIN =
    event({ type: "message_start", message: { id: "m", model: "m", content: [], usage } }) +
    event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }) +
    event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "text" } });
  const END =
    event({ type: "content_block_stop", index: 0 }) +
    event({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } }) +
    event({ type: "message_stop" });

  it.each<[string, (response: ServerResponse) => void]>([
    ["cuts the connection in mid-stream", (response) => response.write(BEGIN, () => response.destroy())],
    ["ends the stream too early", (response) => response.end(BEGIN)],
    [
      "sends malformed JSON in mid-stream",
      (response) => response.end(`${BEGIN}event: content_block_delta\ndata: {oops\n\n`),
    ],
    [
      "reports that it is overloaded in mid-stream",
      (response) =>
        response.end(BEGIN + event({ type: "error", error: { type: "overloaded_error", message: "busy" } })),
    ],
    ["stalls in mid-stream", (response) => response.write(BEGIN)],
  ])("that %s, the call is made again and the answer is whole", async (_, misbehave) => {
    behave = (response, n) => (n === 1 ? misbehave(response) : response.end(BEGIN + END));
    const { result } = await run(api(url, 100));
    expect(result).toMatchObject({ subtype: "success", text: "text" });
    expect(requests).toBe(2);
  });

  it("that goes on misbehaving, the turn ends with the reason", async () => {
    behave = (response) => response.end(BEGIN);
    const { result } = await run(api(url, 100));
    expect(result).toMatchObject({
      subtype: "error_during_execution",
      message: expect.stringContaining("before it was complete"),
    });
    expect(requests).toBe(3);
  });

  it("each attempt of a broken call is a span of its own, the last one whole", async () => {
    const tracer = new CollectingTracer();
    behave = (response, n) => response.end(n === 1 ? BEGIN : BEGIN + END);
    await run(api(url), { trace: { tracer, parent: randomContext(), agent: "tester", contextId: "c" } });
    expect(tracer.spans.map(({ name, failed, ended }) => [name, failed, ended])).toEqual([
      ["chat claude-sonnet-5-5", true, true],
      ["chat claude-sonnet-5-5", false, true],
    ]);
    expect(tracer.spans.map(({ attributes }) => attributes["error.type"])).toEqual(["broken_stream", undefined]);
    expect(tracer.spans.map(({ attributes }) => attributes["http.request.resend_count"])).toEqual([undefined, 1]);
  });

  it("a call that the API turned away before it answered says in its span how often, and why", async () => {
    const tracer = new CollectingTracer();
    behave = (response, n) => {
      if (n === 1) response.writeHead(529, { "retry-after-ms": "1" }).end("{}");
      else response.end(BEGIN + END);
    };
    await run(api(url), { trace: { tracer, parent: randomContext(), agent: "tester", contextId: "c" } });
    const [chat, ...others] = tracer.spans;
    expect([chat?.failed, others]).toEqual([false, []]);
    const attributes = { "http.request.resend_count": 1, "http.response.status_code": 529, "error.type": "529" };
    expect(chat?.events).toEqual([{ name: "retry", attributes }]);
  });

  it("canceling closes the connection", async () => {
    const abort = new AbortController();
    const closed = new Promise<void>((resolve) => {
      behave = (response) => {
        response.on("close", resolve);
        response.write(BEGIN);
      };
    });
    const { result } = await run(api(url), {
      signal: abort.signal,
      emit: ({ type }) => type === "text_delta" && abort.abort(),
    });
    expect(result.subtype).toBe("canceled");
    await closed;
  });
});
