// What answers is looked at before it is believed: its type, where it leads, how it ends. Over a real socket, in whole turns.
import { type ServerResponse, createServer } from "node:http";
import { once } from "node:events";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Breaker } from "#shared/resilience/breaker.ts";
import { messagesApi } from "#shared/models/messages-api.ts";
import { answer, block, end, event, RawMessagesApi, START, text, toolUse } from "../../../support/raw-messages-api.ts";
import { book } from "../steps.ts";
import { run } from "../scripted.ts";

const api = await RawMessagesApi.forFile();

const whole = { subtype: "success", text: "whole" };
const failed = (message: RegExp, errorType: string) => ({
  subtype: "error_during_execution",
  message: expect.stringMatching(message),
  errorType,
});
const say = (type: string | undefined, body: string | Buffer, headers: Record<string, string> = {}) => {
  api.behave = (response: ServerResponse) => {
    if (type === undefined) response.removeHeader("content-type");
    else response.setHeader("content-type", type);
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.end(body);
  };
};
const MESSAGE = {
  id: "msg_j",
  type: "message",
  role: "assistant",
  model: "m",
  content: [{ type: "text", text: "whole" }],
  stop_reason: "end_turn",
  usage: { input_tokens: 7, output_tokens: 3 },
};

describe("an answer of another type", () => {
  it.each([
    ["text/html", "text/html"],
    ["Text/HTML; charset=utf-8", "text/html"],
    ["text/plain", "text/plain"],
    ["application/octet-stream", "application/octet-stream"],
    ["http://10.0.0.1:80/ x", "something else"],
  ])("(%s) is one call, released, and told with its type and what to set", async (type, named) => {
    say(type, "<!doctype html><title>Gateway</title>");
    const { lines, account } = book();
    const gate = new Breaker("model:m");
    const { result } = await run(api.model({ gate }), { account });
    const words = new RegExp(`^The model API answered with ${named}, .*set ANTHROPIC_BASE_URL`);
    expect(result).toMatchObject(failed(words, "wrong_address"));
    expect(api.calls).toHaveLength(1);
    expect(lines).toEqual(["reserve r1", "release r1"]);
    expect(gate.status().failures).toBe(0);
  });

  it.each(["text/event-stream", "text/event-stream; charset=utf-8", "TEXT/Event-Stream;charset=UTF-8", undefined])(
    "that is a stream all the same (%s) is read",
    async (type) => {
      say(type, answer(text("whole")));
      expect((await run(api.model())).result).toMatchObject(whole);
    },
  );
});

describe("an answer in JSON", () => {
  it("that is a whole message counts as one that was streamed", async () => {
    say("application/json; charset=utf-8", `\uFEFF${JSON.stringify(MESSAGE)}`);
    const { result, steps, events } = await run(api.model());
    expect(result).toMatchObject(whole);
    expect(steps[1]).toMatchObject({ model: "m", stopReason: "end_turn", usage: { inputTokens: 7, outputTokens: 3 } });
    expect(events).toContainEqual({ type: "text_delta", text: "whole" });
  });

  it("may call tools, with inputs that are whole", async () => {
    api.behave = (response, n) => {
      const call = { type: "tool_use", id: "t1", name: "echo", input: { text: "echoed" } };
      const message = n === 1 ? { ...MESSAGE, content: [call], stop_reason: "tool_use" } : MESSAGE;
      response.setHeader("content-type", "application/json").end(JSON.stringify(message));
    };
    const { result, steps } = await run(api.model());
    expect(result).toMatchObject(whole);
    expect(steps).toContainEqual(expect.objectContaining({ kind: "tool_result", content: "echoed" }));
  });

  it.each([
    ["no message", { choices: [{ message: { content: "hi" } }] }],
    ["a list", []],
    ["null", null],
    ["a message whose content is none", { ...MESSAGE, content: "whole" }],
  ])("that is %s is one call, told with what to check", async (_, body) => {
    say("application/json", JSON.stringify(body));
    expect((await run(api.model())).result).toMatchObject(
      failed(/no message: see whether ANTHROPIC_BASE_URL/, "broken_stream"),
    );
    expect(api.calls).toHaveLength(1);
  });

  it.each([["half a message", '{"type":"message","content":[']])("that is %s is told", async (_, body) => {
    say("application/json", body);
    expect((await run(api.model())).result).toMatchObject(failed(/JSON that is no message/, "broken_stream"));
  });

  it("that is an error is that error", async () => {
    say(
      "application/json",
      JSON.stringify({ type: "error", error: { type: "invalid_request_error", message: "no such model" } }),
    );
    expect((await run(api.model())).result).toMatchObject(failed(/The API said: no such model/, "invalid_request"));
    expect(api.calls).toHaveLength(1);
  });

  it("without an end is given up", async () => {
    api.behave = (response) => {
      response.setHeader("content-type", "application/json").write(`[${"1,\n".repeat(3_000_000)}`);
    };
    expect((await run(api.model())).result).toMatchObject(failed(/too much at once/, "too_long"));
    expect(api.calls).toHaveLength(1);
  });
});

describe("where an answer leads", () => {
  it.each([301, 302, 307, 308])("a redirect (%i) is not followed: the key goes nowhere else", async (status) => {
    const elsewhere: string[] = [];
    const other = createServer((request, response) => {
      elsewhere.push(request.url ?? "");
      response.end();
    }).listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const location = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`;
    api.behave = (response) => response.writeHead(status, { location }).end();
    const { result } = await run(api.model());
    other.close();
    expect(result).toMatchObject(failed(new RegExp(`redirect \\(${status}\\).*ANTHROPIC_BASE_URL`), "wrong_address"));
    expect(JSON.stringify(result)).not.toContain("127.0.0.1");
    expect([elsewhere, api.calls.length]).toEqual([[], 1]);
  });

  it.each([
    [404, /ANTHROPIC_BASE_URL and the model's name/],
    [405, /ANTHROPIC_BASE_URL and the model's name/],
    [401, /ANTHROPIC_API_KEY/],
    [403, /ANTHROPIC_API_KEY/],
    [500, /failed with status 500: try again later\.$/],
  ])("%i with a web page is told with what to check, and nothing of the page", async (status, words) => {
    api.behave = (response) =>
      response
        .writeHead(status, { "content-type": "text/html", "x-should-retry": "false" })
        .end("<html>no such page</html>");
    const { result } = await run(api.model());
    expect(result).toMatchObject({ message: expect.stringMatching(words) });
    expect(JSON.stringify(result)).not.toContain("html");
  });

  it("a port where nobody listens is told with the variable, and without the address", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const address = closed.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await new Promise((resolve) => closed.close(resolve));
    const names = { model: "m", provider: "anthropic", apiKey: "k", maxTokens: 100, contextTokens: 10_000, fetch };
    const { result } = await run(messagesApi({ ...names, baseUrl: `http://127.0.0.1:${port}` }));
    expect(result).toMatchObject(
      failed(/failed or broke: fetch failed\. .*check ANTHROPIC_BASE_URL$/, "connection_lost"),
    );
    expect(JSON.stringify(result)).not.toMatch(/127\.0\.0\.1/);
  });

  it.each(["Fetch API cannot load: 127.0.0.1:8123/v1/messages", "Failed to parse URL from x", "Invalid URL"])(
    "an address that is none (%s) is told with the variable, once, and without the address",
    async (words) => {
      let calls = 0;
      const fetchImpl = async () => {
        calls++;
        throw new TypeError(words);
      };
      const names = { model: "m", provider: "anthropic", apiKey: "k", maxTokens: 100, contextTokens: 10_000 };
      const model = messagesApi({ ...names, baseUrl: "http://model.test", fetch: fetchImpl });
      const { result } = await run(model);
      expect(result).toMatchObject(failed(/set ANTHROPIC_BASE_URL to one that begins with http/, "wrong_address"));
      expect([calls, JSON.stringify(result).includes("8123")]).toEqual([1, false]);
    },
  );
});

describe("a stream of another hand", () => {
  const BEGUN = START + text("whole");
  const delta = event({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } });

  it.each([
    ["with a mark of byte order", `\uFEFF${answer(text("whole"))}`],
    ["with lines that end as on Windows", answer(text("whole")).replaceAll("\n", "\r\n")],
    ["that ends after it has said why it stopped", BEGUN + delta],
    [
      "whose text begins as null",
      START + block(0, { type: "text", text: null }, { type: "text_delta", text: "whole" }) + end(),
    ],
    ["whose text begins as nothing", START + block(0, { type: "text" }, { type: "text_delta", text: "whole" }) + end()],
    ["that stops for a reason nobody knows", BEGUN + end("made_up")],
    [
      "that says no usage",
      `${START.replace(/,"usage":\{[^}]*\}/, "")}${text("whole")}${end().replace(/,"usage":\{[^}]*\}/, "")}`,
    ],
    ["whose events have no names", answer(text("whole")).replaceAll(/^event: .*\n/gm, "")],
    ["whose events are all called the same", answer(text("whole")).replaceAll(/^event: .*$/gm, "event: message")],
    ["that ends as those of other APIs do", `${BEGUN}${delta}data: [DONE]\n\n`],
    ["with comments in it", `: hello\n\n${BEGUN}: still here\n\n${end()}`],
  ])("%s is read, in one call", async (_, stream) => {
    say("text/event-stream", stream);
    expect((await run(api.model())).result).toMatchObject(whole);
    expect(api.calls).toHaveLength(1);
  });

  it.each(["event: message\n", ""])("with an error under another name (%j) is that error", async (name) => {
    const error = { type: "error", error: { type: "invalid_request_error", message: "as told" } };
    say("text/event-stream", `${START}${name}data: ${JSON.stringify(error)}\n\n`);
    expect((await run(api.model())).result).toMatchObject(failed(/The API said: as told/, "invalid_request"));
  });

  it("with an error in plain words is told with them", async () => {
    say("text/event-stream", `${START}event: error\ndata: out of memory\n\n`);
    expect((await run(api.model())).result).toMatchObject(
      failed(/with an error\. The API said: out of memory/, "broken_stream"),
    );
  });

  it("that is packed is unpacked", async () => {
    say("text/event-stream", gzipSync(answer(text("whole"))), { "content-encoding": "gzip" });
    expect((await run(api.model())).result).toMatchObject(whole);
  });

  it("that says it is packed and is not is told, after three calls at most", async () => {
    say("text/event-stream", answer(text("whole")), { "content-encoding": "gzip" });
    const { result } = await run(api.model());
    expect(result).toMatchObject({ subtype: "error_during_execution" });
    expect(api.calls.length).toBeLessThanOrEqual(3);
  });

  it("that ends after a reason of null is not whole", async () => {
    say(
      "text/event-stream",
      START + text("half") + event({ type: "message_delta", delta: { stop_reason: null }, usage: {} }),
    );
    expect((await run(api.model())).result).toMatchObject(failed(/ended before it was complete/, "broken_stream"));
  });

  it("whose calls have no ids gives each one of its own", async () => {
    const nameless = (index: number) => toolUse("gone", '{"text":"x"}', index).replace('"id":"gone",', "");
    api.behave = (response, n) =>
      response.end(n === 1 ? answer(nameless(0) + nameless(1), "tool_use") : answer(text("whole")));
    const { result, steps } = await run(api.model());
    expect(result).toMatchObject(whole);
    const ids = steps.flatMap((step) => (step.kind === "tool_result" ? [step.toolUseId] : []));
    expect(ids).toEqual(["toolu", "toolu_2"]);
  });
});

it("an answer that is given up for its length closes its connection", async () => {
  const closed = new Promise<void>((resolve) => {
    api.behave = (response) => {
      response.once("close", resolve);
      response.write(
        START + event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
      );
      const more = event({
        type: "content_block_delta",
        index: 0,
        delta: { type: "text_delta", text: "x".repeat(900_000) },
      });
      response.write(more + more + more);
    };
  });
  expect((await run(api.model())).result).toMatchObject(failed(/can be kept/, "too_long"));
  await closed;
});

describe("a backend that is busy", () => {
  const busy = (status: number, headers: Record<string, string>) => {
    api.behave = (response) => response.writeHead(status, { "x-should-retry": "false", ...headers }).end("{}");
  };

  it.each([
    [503, { "retry-after": "7" }],
    [503, { "retry-after": "0" }],
    [503, { "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT" }],
    [503, { "retry-after-ms": "5" }],
    [529, { "retry-after": "7" }],
    [429, { "retry-after": "7" }],
  ])("(%i %j) opens no circuit, however often", async (status, headers) => {
    busy(status, headers);
    const gate = new Breaker("model:m");
    for (let n = 0; n < 6; n++) await run(api.model({ gate }));
    expect(gate.status()).toMatchObject({ state: "closed", failures: 0 });
    expect(api.calls).toHaveLength(6);
  });

  it.each([
    [503, { "retry-after": "soon" }],
    [500, { "retry-after": "7" }],
  ])("(%i %j) is down where it does not say when, or is not busy", async (status, headers) => {
    busy(status, headers);
    const gate = new Breaker("model:m");
    for (let n = 0; n < 5; n++) await run(api.model({ gate }));
    expect(gate.status()).toMatchObject({ state: "open" });
  });

  it("is asked again when it says, and then answers", async () => {
    api.behave = (response, n) =>
      n === 1 ? response.writeHead(503, { "retry-after-ms": "1" }).end("{}") : response.end(answer(text("whole")));
    expect((await run(api.model())).result).toMatchObject(whole);
    expect(api.calls).toHaveLength(2);
  });
});
