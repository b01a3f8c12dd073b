// The Messages API client and the loop over real sockets: what becomes spans, how a call is given up. Its faults: loop/model-faults.test.ts.
import { LLMock } from "@copilotkit/aimock";
import { expect, it, onTestFinished } from "vitest";
import { randomContext } from "#shared/tracing/trace-context.ts";
import { CollectingTracer } from "../../support/collecting-tracer.ts";
import { answer, event, RawMessagesApi, START, text } from "../../support/raw-messages-api.ts";
import { messagesApi } from "#shared/models/messages-api.ts";
import { run } from "../loop/scripted.ts";

const api = await RawMessagesApi.forFile();

const traced = () => {
  const tracer = new CollectingTracer();
  const parent = randomContext();
  return { tracer, trace: { tracer, parent, task: parent, agent: "tester", contextId: "c" } };
};

it("a streamed tool loop against a mock of the API comes to its answer", async () => {
  const mock = new LLMock({ port: 0 });
  const baseUrl = await mock.start();
  onTestFinished(async () => mock.stop());
  mock.on({ hasToolResult: false }, { toolCalls: [{ id: "t1", name: "echo", arguments: '{"text":"from the tool"}' }] });
  mock.on({ hasToolResult: true }, { content: "the answer" });
  const names = { model: "claude-sonnet-5-5", provider: "anthropic" };
  const model = messagesApi({ baseUrl, apiKey: "test", ...names, maxTokens: 100, contextTokens: 10_000, fetch });
  const { result, steps } = await run(model);
  expect(result).toMatchObject({ subtype: "success", text: "the answer", turns: 2 });
  expect(steps.find(({ kind }) => kind === "tool_result")).toMatchObject({ content: "from the tool", isError: false });
});

it("each attempt of a broken call is a span of its own, the last one whole", async () => {
  const { tracer, trace } = traced();
  api.behave = (response, n) => response.end(n === 1 ? START : answer(text("whole")));
  await run(api.model(), { trace });
  expect(tracer.spans.map(({ name, failed, ended }) => [name, failed, ended])).toEqual([
    ["chat claude-sonnet-5-5", true, true],
    ["chat claude-sonnet-5-5", false, true],
  ]);
  expect(tracer.spans.map(({ attributes }) => attributes["error.type"])).toEqual(["broken_stream", undefined]);
  expect(tracer.spans.map(({ attributes }) => attributes["http.request.resend_count"])).toEqual([undefined, 1]);
});

it("a call that the API turned away before it answered says in its span how often, and why", async () => {
  const { tracer, trace } = traced();
  api.behave = (response, n) => {
    if (n === 1) response.writeHead(529, { "retry-after-ms": "1" }).end("{}");
    else response.end(answer(text("whole")));
  };
  await run(api.model(), { trace });
  const [chat, ...others] = tracer.spans;
  expect([chat?.failed, others]).toEqual([false, []]);
  const attributes = { "http.request.resend_count": 1, "http.response.status_code": 529, "error.type": "529" };
  expect(chat?.events).toEqual([{ name: "retry", attributes }]);
});

it("canceling closes the connection", async () => {
  const abort = new AbortController();
  const closed = new Promise<void>((resolve) => {
    api.behave = (response) => {
      response.on("close", resolve);
      const begin = event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } });
      const delta = event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "text" } });
      response.write(START + begin + delta);
    };
  });
  const { result } = await run(api.model(), {
    signal: abort.signal,
    emit: ({ type }) => type === "text_delta" && abort.abort(),
  });
  expect(result.subtype).toBe("canceled");
  await closed;
});
