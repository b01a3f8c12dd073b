// Every fault of a model's API, met by a whole turn over a real socket: what the person gets, what is in the log, what the server saw.
import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { MAX_ANSWER_BYTES } from "#shared/loop/model-call/assembly.ts";
import {
  answer,
  block,
  end,
  event,
  RawMessagesApi,
  START,
  text,
  toolUse,
  type Behave,
} from "../../../support/raw-messages-api.ts";
import { run } from "../scripted.ts";

const api = await RawMessagesApi.forFile();

const IDLE_MS = 300;
const turn = async () => run(api.model({ idleLimitMs: IDLE_MS }));
const always = (misbehave: (response: ServerResponse) => void): Behave => misbehave;
const once =
  (misbehave: (response: ServerResponse) => void): Behave =>
  (response, n) =>
    n === 1 ? misbehave(response) : response.end(answer(text("whole")));
/** Answers in their order; the last one goes on for ever. */
const inTurn =
  (...answers: string[]): Behave =>
  (response, n) =>
    response.end(answers[n - 1] ?? answers.at(-1));

const refuse =
  (
    status: number,
    headers: Record<string, string> = {},
    body: unknown = { error: { type: "x", message: "as told" } },
  ) =>
  (response: ServerResponse) =>
    response.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body));
/** So that no test waits for the client's own pause. */
const SOON = { "retry-after-ms": "1" };
const failed = (message: RegExp, errorType: string) => ({
  subtype: "error_during_execution",
  message: expect.stringMatching(message),
  errorType,
});
const whole = { subtype: "success", text: "whole" };

describe("a request that is turned away", () => {
  it.each<[string, Behave, object, number]>([
    [
      "with 400 is told with the API's words and not made again",
      always(refuse(400)),
      failed(/400\. The API said: as told/, "invalid_request"),
      1,
    ],
    [
      "with 401 is told with what to set and not made again",
      always(refuse(401)),
      failed(/set ANTHROPIC_API_KEY/, "unauthorized"),
      1,
    ],
    [
      "with 403 is told with what to check and not made again",
      always(refuse(403)),
      failed(/check the key's workspace/, "forbidden"),
      1,
    ],
    ["with 429 is made again after a pause of the client's own", once(refuse(429)), whole, 2],
    [
      "with 429 again and again is told",
      always(refuse(429, SOON)),
      failed(/limits the rate of requests \(429\): try again in 1 s/, "rate_limited"),
      3,
    ],
    ["with 529 is made again", once(refuse(529, SOON)), whole, 2],
    [
      "with 529 again and again is told, after the client's three attempts and no more",
      always(refuse(529, SOON)),
      failed(/overloaded \(529\)/, "overloaded"),
      3,
    ],
    ["with 500 is made again", once(refuse(500, SOON)), whole, 2],
    ["with 500 again and again is told", always(refuse(500, SOON)), failed(/failed with status 500/, "unavailable"), 3],
    ["by a connection that is cut is made again", once((response) => response.destroy()), whole, 2],
    [
      "by connections that are cut again and again is told, without an address",
      always((response) => response.destroy()),
      failed(/^The connection to the model API failed or broke: fetch failed$/, "connection_lost"),
      3,
    ],
  ])("%s", async (_, behave, expected, requests) => {
    api.behave = behave;
    const { result, steps } = await turn();
    expect(result).toMatchObject(expected);
    expect(api.calls).toHaveLength(requests);
    const said = steps.map(({ kind }) => kind).filter((kind) => kind !== "model_cut");
    expect(said).toEqual(result.subtype === "success" ? ["user", "assistant"] : ["user"]);
  });

  it("with Retry-After is not made again before that, and the wait is no stall", async () => {
    api.behave = once(refuse(429, { "retry-after": "0.4" }));
    expect((await turn()).result).toMatchObject(whole);
    const [first, second] = api.calls.map(({ at }) => at);
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(395);
    expect((second ?? 0) - (first ?? 0)).toBeLessThan(2_000);
  });

  it.each(["3600", new Date(Date.now() + 3_600_000).toUTCString()])(
    "with a Retry-After that nobody would wait for (%s) is told when to come again, at once",
    async (retryAfter) => {
      api.behave = always(refuse(429, { "retry-after": retryAfter }));
      const { result } = await turn();
      expect(result).toMatchObject(failed(/\(429\): try again in 3[56]\d\d s/, "rate_limited"));
      expect(api.calls).toHaveLength(1);
    },
  );

  it("with an error of megabytes is told with a part of it, without half characters", async () => {
    const message = `${"x".repeat(999)}😀${"x".repeat(20_000)}`;
    api.behave = always(refuse(400, {}, { error: { type: "x", message } }));
    const { result } = await turn();
    const told = result.subtype === "success" ? "" : result.message;
    expect([told.length < 1_200, told.isWellFormed(), told.includes("xxx")]).toEqual([true, true, true]);
    // Of a body without an end no more is read than anybody needs.
    api.behave = always((response) => response.writeHead(400).write("x".repeat(100_000)));
    expect((await turn()).result).toMatchObject(
      failed(/^The model API rejected the request with status 400\.$/, "invalid_request"),
    );
  });
});

const BEGUN =
  START +
  event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }) +
  event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "half" } });
const DELTA = { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "half" } };
const LONG_NAME = event({ type: "message_start", message: { id: "m", model: "m".repeat(1_000_000), usage: {} } });
const streamed =
  (...frames: string[]) =>
  (response: ServerResponse) =>
    response.end(BEGUN + frames.join(""));
const errorEvent = (type: string) => event({ type: "error", error: { type, message: "busy" } });

describe("an answer that breaks", () => {
  const FAULTS: [string, (response: ServerResponse) => void][] = [
    ["is cut in mid-stream", (response) => response.write(BEGUN, () => response.destroy())],
    ["ends too early", streamed()],
    ["is no JSON in mid-stream", streamed("event: content_block_delta\ndata: {oops\n\n")],
    ["has an event that is null", streamed("event: content_block_delta\ndata: null\n\n", end())],
    ["has a delta without its text", streamed(event({ ...DELTA, delta: { type: "text_delta" } }), end())],
    ["has a delta for a block that was not begun", streamed(event({ ...DELTA, index: 7 }), end())],
    ["has a block of no type", streamed(event({ type: "content_block_start", index: 1, content_block: {} }), end())],
    ["calls a tool without a name", streamed(block(1, { type: "tool_use", id: "t" }), end())],
    ["calls itself by a name of a megabyte", (response) => response.end(LONG_NAME + text("half") + end())],
    ["has an error overloaded_error in mid-stream", streamed(errorEvent("overloaded_error"))],
    ["has an error api_error in mid-stream", streamed(errorEvent("api_error"))],
    ["stalls in mid-stream", (response) => response.write(BEGUN)],
    ["stalls before its first byte", () => {}],
    ["is empty", (response) => response.end()],
  ];
  it.each(FAULTS)("because it %s is asked for again, and nothing of it is kept", async (_, misbehave) => {
    api.behave = once(misbehave);
    const { result, steps } = await turn();
    expect(result).toMatchObject(whole);
    expect(api.calls).toHaveLength(2);
    expect(JSON.stringify(steps)).not.toContain("half");
  });

  it.each<[string, (response: ServerResponse) => void, object]>([
    ["ends too early", streamed(), failed(/ended before it was complete/, "broken_stream")],
    ["stalls", (response) => response.write(BEGUN), failed(/sent nothing for 0\.3 s/, "stalled")],
    [
      "has an error in mid-stream",
      streamed(errorEvent("api_error")),
      failed(/with an error\. The API said: busy/, "broken_stream"),
    ],
  ])("because it %s, three times, ends the turn with the reason", async (_, misbehave, expected) => {
    api.behave = always(misbehave);
    expect((await turn()).result).toMatchObject(expected);
    expect(api.calls).toHaveLength(3);
  });

  it.each([
    ["rate_limit_error", "rate_limited"],
    ["invalid_request_error", "invalid_request"],
  ])("with an error %s is not asked for again", async (type, code) => {
    api.behave = always(streamed(errorEvent(type)));
    expect((await turn()).result).toMatchObject(failed(/busy/, code));
    expect(api.calls).toHaveLength(1);
  });

  it("is not broken as long as it pings, however long it says nothing else", async () => {
    api.behave = (response) => {
      let pings = 0;
      response.write(START);
      const timer = setInterval(() => {
        if (++pings <= 10) return response.write(event({ type: "ping" }));
        clearInterval(timer);
        return response.end(text("whole") + end());
      }, IDLE_MS / 3);
    };
    expect((await turn()).result).toMatchObject(whole);
    expect(api.calls).toHaveLength(1);
  });

  it("is not broken by events and fields that nobody here knows", async () => {
    const future = event({ type: "from_the_future", index: "x" });
    const delta = event({ type: "content_block_delta", index: 0, delta: { type: "mood_delta", mood: 1 } });
    api.behave = (response) => response.end(START + future + text("whole") + delta + end());
    expect((await turn()).result).toMatchObject(whole);
  });
});

describe("an answer that is none", () => {
  it.each<[string, string, object]>([
    ["that refuses", answer("", "refusal"), failed(/refused/, "model_refusal")],
    ["that refuses in words", answer(text("I will not."), "refusal"), failed(/^I will not\.$/, "model_refusal")],
    ["cut off by max_tokens before a word", answer("", "max_tokens"), failed(/raise max_tokens/, "max_tokens")],
  ])("%s is told, and not asked for again", async (_, body, expected) => {
    api.behave = inTurn(body);
    expect((await turn()).result).toMatchObject(expected);
    expect(api.calls).toHaveLength(1);
  });

  it.each([
    ["of no blocks", answer("")],
    ["of white space", answer(text(" \n"))],
    ["of thinking alone", answer(block(0, { type: "thinking", thinking: "hm", signature: "s" }))],
    ["that says nothing of how it stopped", START + end("made up")],
  ])("%s is asked for once more, and no third time", async (_, body) => {
    api.behave = inTurn(body, answer(text("whole")));
    const { result, steps } = await turn();
    expect(result).toMatchObject({ ...whole, turns: 2 });
    expect(steps[2]).toMatchObject({ kind: "note", about: "empty" });
    expect(JSON.stringify(api.calls[1]?.body.messages)).toContain("Your last answer was empty.");
    api.behave = inTurn(body);
    expect((await turn()).result).toMatchObject(failed(/empty answer.* other words/, "empty_answer"));
    expect(api.calls).toHaveLength(4);
  });

  it("because it pauses is gone on with, from what was said", async () => {
    api.behave = inTurn(answer(text("I looked, "), "pause_turn"), answer(text("and found it.")));
    expect((await turn()).result).toMatchObject({ subtype: "success", text: "I looked, and found it." });
    expect(api.calls[1]?.body.messages.at(-1)).toEqual({
      role: "assistant",
      content: [{ type: "text", text: "I looked, " }],
    });
  });
});

/** The results that the model was told in request `n`, from 1. */
const told = (n = 2) =>
  (api.calls[n - 1]?.body.messages ?? []).flatMap(({ content }) =>
    content.filter(({ type }) => type === "tool_result"),
  );
const called = (n = 2) =>
  (api.calls[n - 1]?.body.messages ?? []).flatMap(({ content }) => content.filter(({ type }) => type === "tool_use"));

describe("a tool call", () => {
  it("that says end_turn is run all the same", async () => {
    api.behave = inTurn(answer(toolUse("t1", '{"text":"echoed"}'), "end_turn"), answer(text("whole")));
    expect((await turn()).result).toMatchObject(whole);
    expect(told()).toEqual([{ type: "tool_result", tool_use_id: "t1", content: "echoed" }]);
  });

  it("that max_tokens cut off is not run, and the model is told", async () => {
    api.behave = inTurn(START + toolUse("t1", '{"text":"ech') + end("max_tokens"), answer(text("whole")));
    expect((await turn()).result).toMatchObject(whole);
    expect(told()).toMatchObject([
      { tool_use_id: "t1", is_error: true, content: expect.stringContaining("token limit") },
    ]);
  });

  it.each([
    ["no JSON", '{"text":'],
    ["no object", "[1]"],
    ["nested too deeply", `{"text":${"[".repeat(5_000)}${"]".repeat(5_000)}}`],
  ])("whose input is %s is not run, and the model is told", async (_, json) => {
    api.behave = inTurn(answer(toolUse("t1", json), "tool_use"), answer(text("whole")));
    const { result, steps } = await turn();
    expect(result).toMatchObject(whole);
    expect(told()).toMatchObject([{ is_error: true, content: expect.stringContaining("not a JSON object") }]);
    expect(called()).toMatchObject([{ input: {} }]);
    expect(JSON.stringify(steps).length).toBeLessThan(3_000);
  });

  it("with an id that another one of its answer has gets one of its own, and so its own result", async () => {
    const both =
      toolUse("t1", '{"text":"one"}', 0) + toolUse("t1", '{"text":"two"}', 1) + toolUse("", '{"text":"three"}', 2);
    api.behave = inTurn(answer(both, "tool_use"), answer(text("whole")));
    expect((await turn()).result).toMatchObject(whole);
    expect(called().map(({ id }) => id)).toEqual(["t1", "t1_2", "toolu"]);
    expect(told().map(({ tool_use_id, content }) => [tool_use_id, content])).toEqual([
      ["t1", "one"],
      ["t1_2", "two"],
      ["toolu", "three"],
    ]);
  });

  it("with an id from earlier in the thread gets one of its own, and so its own result", async () => {
    const calls = ["one", "two"].map((words) => answer(toolUse("t1", JSON.stringify({ text: words })), "tool_use"));
    api.behave = inTurn(...calls, answer(text("whole")));
    await turn();
    expect(called(3).map(({ id }) => id)).toEqual(["t1", "t1_2"]);
    expect(told(3).map(({ tool_use_id, content }) => [tool_use_id, content])).toEqual([
      ["t1", "one"],
      ["t1_2", "two"],
    ]);
  });

  it("is told apart from others that a backend begins with the same index", async () => {
    const both = toolUse("a", '{"text":"one"}', 0) + toolUse("b", '{"text":"two"}', 0);
    api.behave = inTurn(answer(both, "tool_use"), answer(text("whole")));
    await turn();
    expect(told().map(({ content }) => content)).toEqual(["one", "two"]);
  });
});

it("a tool input that comes whole with its block's beginning counts, and one that is no object is not sent back", async () => {
  const begun = (input: unknown) => block(0, { type: "tool_use", id: "t1", name: "echo", input });
  api.behave = inTurn(
    answer(begun({ text: "whole" }), "tool_use"),
    answer(begun("oops"), "tool_use"),
    answer(text("end")),
  );
  const { result, steps } = await turn();
  expect(result).toMatchObject({ text: "end" });
  const results = steps.flatMap((step) => (step.kind === "tool_result" ? step : []));
  expect(results.map(({ content, isError }) => [content, isError])).toEqual([
    ["whole", false],
    [expect.stringContaining('so the tool was not run: "oops"'), true],
  ]);
  const sent = JSON.stringify(api.calls.at(-1)?.body.messages.at(-2));
  expect(sent).toContain('"input":{}');
});

describe("what goes into the log", () => {
  it("are thinking blocks as they came, and they go back so", async () => {
    const thinking = block(
      0,
      { type: "thinking", thinking: "", signature: "" },
      { type: "thinking_delta", thinking: "Let me " },
      { type: "thinking_delta", thinking: "see.\ud83d" },
      { type: "signature_delta", signature: "c2lnbmVk" },
    );
    const redacted = block(1, { type: "redacted_thinking", data: "opaque", later: { field: 1 } });
    api.behave = inTurn(
      answer(thinking + redacted + toolUse("t1", '{"text":"x"}', 2), "tool_use"),
      answer(text("whole")),
    );
    await turn();
    expect(api.calls[1]?.body.messages[1]?.content.slice(0, 2)).toEqual([
      { type: "thinking", thinking: "Let me see.\ud83d", signature: "c2lnbmVk" },
      { type: "redacted_thinking", data: "opaque", later: { field: 1 } },
    ]);
  });

  it("are no half characters, which the API would refuse for ever after; those cut between two deltas are put together", async () => {
    const cut = block(
      0,
      { type: "text", text: "" },
      { type: "text_delta", text: "a\ud83d" },
      { type: "text_delta", text: "\ude00b\ud83d" },
    );
    const input = String.raw`{"text":"x\ud83d","\ud83d":[{"y":"\ude00"}]}`;
    api.behave = inTurn(answer(cut + toolUse("t1", input, 1), "tool_use"), answer(text("whole")));
    await turn();
    const [said, asked] = api.calls[1]?.body.messages[1]?.content ?? [];
    expect(said).toEqual({ type: "text", text: "a😀b\ufffd" });
    expect(asked?.["input"]).toEqual({ text: "x\ufffd", "\ufffd": [{ y: "\ufffd" }] });
  });

  /** An answer of so many characters, in deltas of 10,000. */
  const long = (unit: string, count: number) => {
    const deltas = Array.from({ length: Math.ceil(count / 10_000) }, (_, n) => ({
      type: "text_delta",
      text: unit.repeat(Math.min(10_000, count - n * 10_000)),
    }));
    return answer(block(0, { type: "text", text: "" }, ...deltas));
  };

  it("is an answer of a million letters, whole", async () => {
    api.behave = inTurn(long("x", 1_000_000));
    const { result, steps } = await turn();
    expect(result).toEqual(expect.objectContaining({ subtype: "success", text: "x".repeat(1_000_000) }));
    expect(new TextEncoder().encode(JSON.stringify(steps[1])).length).toBeLessThan(MAX_ANSWER_BYTES);
  });

  it.each([
    ["letters", "x", 1],
    ["quotes", '"', 2],
    ["Chinese characters", "字", 3],
  ])(
    "is an answer of %s up to the limit, and none beyond, which is told and not asked for again",
    async (_, unit, bytes) => {
      // Each delta is weighed with its two quotation marks, and the block as it began.
      const overhead = (2 * MAX_ANSWER_BYTES) / bytes / 10_000 + 40;
      const fitting = Math.floor((MAX_ANSWER_BYTES - overhead) / bytes);
      api.behave = inTurn(long(unit, fitting));
      expect((await turn()).result.subtype).toBe("success");
      api.behave = always((response) => response.end(long(unit, Math.ceil(MAX_ANSWER_BYTES / bytes))));
      expect((await turn()).result).toMatchObject(failed(/longer than the 1\.8 MB that can be kept/, "too_long"));
      expect(api.calls).toHaveLength(2);
    },
  );

  it("is no block that comes whole and is too long", async () => {
    const result = { type: "web_search_tool_result", tool_use_id: "s", content: "x".repeat(MAX_ANSWER_BYTES) };
    api.behave = inTurn(answer(block(0, result)));
    expect((await turn()).result).toMatchObject(failed(/that can be kept/, "too_long"));
  });

  it("is no line without an end", async () => {
    api.behave = (response) => response.end(`${START}data: ${"x".repeat(9_000_000)}`);
    expect((await turn()).result).toMatchObject(failed(/a line without an end/, "too_long"));
    expect(api.calls).toHaveLength(1);
  });
});
