// A backend that says "too long", whatever was estimated: the conversation is made shorter, and the call made again, once in a turn.
import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { Step } from "#shared/loop/log/step.ts";
import { answer, RawMessagesApi, text } from "../../../support/raw-messages-api.ts";
import { run, ScriptedModel, type More } from "../scripted.ts";
import { answered, asked, book, called, rounds } from "../steps.ts";

const api = await RawMessagesApi.forFile();

const LONG = [...rounds(4, 2_000), asked("next")];
const TOO_LONG = { type: "invalid_request_error", message: "prompt is too long: 9000 tokens > 5000 maximum" };
const refuse = (response: ServerResponse, status: number, body: unknown) =>
  response
    .writeHead(status, { "content-type": "application/json", "x-should-retry": "false" })
    .end(typeof body === "string" ? body : JSON.stringify(body));

/** Refuses with `body` what has more bytes than `most`. What it is asked for is a summary where the instructions say so. */
function strict(most: number, status = 400, body: unknown = { error: TOO_LONG }) {
  api.behave = (response) => {
    const asked = JSON.stringify(api.calls.at(-1)?.body);
    if (asked.length > most) return refuse(response, status, body);
    return response.end(answer(text(asked.includes("Summarise the conversation above") ? "SUMMARY" : "whole")));
  };
}

const ask = async (steps: readonly Step[], more: More = {}) =>
  run(api.model({ provider: "other" }), { steps, tools: [], ...more });
const kinds = (steps: readonly Step[]) => steps.map(({ kind }) => kind);
const said = (n: number) => JSON.stringify(api.calls[n - 1]?.body.messages);
const isRefused = (step: Step) => step.kind === "compaction" && step.refused === true;

describe("a request that is refused as too long", () => {
  it.each<[number, unknown]>([
    [400, { error: TOO_LONG }],
    [
      400,
      {
        error: {
          type: "invalid_request_error",
          message: "input length and `max_tokens` exceed context limit: 9000 + 100 > 5000",
        },
      },
    ],
    [413, { error: { type: "request_too_large", message: "Request exceeds the maximum size" } }],
    [413, "<html>Request Entity Too Large</html>"],
    [400, { error: { message: "x", code: "context_length_exceeded" } }],
    [400, { error: { message: "This model's maximum context length is 5000 tokens." } }],
    [400, { error: "prompt too long; exceeded max context length by 4000 tokens" }],
    [
      400,
      {
        error: {
          code: 400,
          type: "exceed_context_size_error",
          message: "the request exceeds the available context size",
        },
      },
    ],
  ])("with %i %j is made shorter and made again; what it was kept for is released, not cut", async (status, body) => {
    strict(6_000, status, body);
    const { lines, account } = book();
    const { result, steps } = await ask(LONG, { account });
    expect(result).toMatchObject({ subtype: "success", text: "whole", turns: 1 });
    expect(steps.filter(isRefused)).toHaveLength(1);
    expect(kinds(steps)).not.toContain("model_cut");
    expect(lines.slice(0, 2)).toEqual(["reserve r1", "release r1"]);
    expect(lines.filter((line) => line.startsWith("cut"))).toEqual([]);
    expect(said(api.calls.length)).toMatch(/SUMMARY.*next/);
    const [reserved, settled] = ["reserve", "settle"].map(
      (verb) => lines.filter((line) => line.startsWith(verb)).length,
    );
    expect(reserved).toBe((settled ?? 0) + lines.filter((line) => line.startsWith("release")).length);
  });

  it("even after that ends the turn, with what to do and the API's own words, and the next message finds its thread usable", async () => {
    strict(300);
    const { result, steps } = await ask(LONG);
    expect(result).toMatchObject({
      subtype: "error_during_execution",
      errorType: "prompt_too_long",
      message: expect.stringMatching(/shorter message or begin a new session.*model\.context_tokens.*5000 maximum/),
    });
    expect(api.calls.length).toBeLessThan(10);
    strict(6_000);
    const next = await ask([...Step.array().parse(JSON.parse(JSON.stringify(steps))), asked("again")]);
    expect(next.result).toMatchObject({ subtype: "success", text: "whole" });
  });

  it("again after it was made shorter is not made shorter once more, in another life neither", async () => {
    const cost = {
      tokensBefore: 1,
      tokensAfter: 1,
      usage: { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 },
    };
    const compaction: Step = { kind: "compaction", trigger: "auto", summary: "S", kept: 0, refused: true, ...cost };
    strict(10);
    const { result } = await ask([...LONG, compaction], { life: 2, begin: LONG.length - 1 });
    expect(result).toMatchObject({ message: expect.stringContaining("It had been compacted before in this turn.") });
    expect(api.calls).toHaveLength(1);
  });

  it("with nothing in it but its message is said to be too long at once", async () => {
    strict(10);
    const { result } = await ask([asked("hi")]);
    expect(result).toMatchObject({
      errorType: "prompt_too_long",
      message: expect.stringContaining("nothing to compact"),
    });
    expect(api.calls).toHaveLength(1);
  });

  it("because of what a tool returned is gone on with, in the same turn", async () => {
    const steps = [asked("get it"), ...called({ t1: "y".repeat(12_000) })];
    strict(8_000);
    const { result } = await ask(steps, { begin: 0 });
    expect(result).toMatchObject({ subtype: "success", text: "whole" });
    expect(said(api.calls.length)).toMatch(/SUMMARY.*get it/);
  });

  it("for its summary is cut in half until it fits, and what was refused costs nothing", async () => {
    // Far over what the model really has: the estimate lets all of it be summarised at once.
    const steps = [...rounds(10, 2_800), asked("next")];
    strict(5_000, 400, { error: { message: "maximum context length" } });
    const { lines, account } = book();
    const { result, steps: after } = await ask(steps, { account });
    expect(result).toMatchObject({ subtype: "success", text: "whole" });
    expect(kinds(after)).not.toContain("compaction_failed");
    expect(lines.filter((line) => line.startsWith("cut"))).toEqual([]);
  });

  it.each([
    [429, "prompt is too long"],
    [400, "max_tokens: must be positive"],
    [401, "prompt is too long"],
  ])("is not seen in %i %s", async (status, message) => {
    strict(10, status, { error: { message } });
    const { result, steps } = await ask(LONG);
    expect(result).toMatchObject({ subtype: "error_during_execution" });
    expect(result).not.toMatchObject({ errorType: "prompt_too_long" });
    expect(steps.filter(isRefused)).toEqual([]);
    expect(api.calls).toHaveLength(1);
  });
});

describe("an answer for which the context had no room", () => {
  const stop = "model_context_window_exceeded" as const;

  it("is asked for once more behind a summary, and is paid for", async () => {
    const model = new ScriptedModel({ text: "half an", stop }, { text: "SUMMARY" }, { text: "whole" });
    const { result, steps } = await run(model, { steps: LONG, tools: [] });
    expect(result).toMatchObject({ subtype: "success", text: "whole", turns: 2 });
    expect(kinds(steps.slice(LONG.length))).toEqual(["assistant", "note", "compaction", "assistant"]);
    expect(model.requests[2]?.messages.at(-1)).toMatchObject({ role: "user" });
  });

  it("is not asked for a third time", async () => {
    const model = new ScriptedModel({ text: "half", stop }, { text: "SUMMARY" }, { text: "half", stop });
    const { result } = await run(model, { steps: LONG, tools: [] });
    expect(result).toMatchObject({ errorType: stop, message: expect.stringContaining("begin a new session") });
    expect(model.requests).toHaveLength(3);
  });

  it("is asked for again by another life that finds only the word for it in the log", async () => {
    const note: Step = { kind: "note", about: "cut", text: "again" };
    const model = new ScriptedModel({ text: "whole" });
    const log = [...LONG, answered("half", { stopReason: stop }), note];
    const { result } = await run(model, { steps: log, tools: [], life: 2, begin: LONG.length - 1 });
    expect(result).toMatchObject({ subtype: "success", text: "whole" });
    expect(model.requests).toHaveLength(1);
  });
});

it("an empty answer that an earlier life had asked for again is not asked for a third time", async () => {
  const note: Step = { kind: "note", about: "empty", text: "again" };
  const model = new ScriptedModel({ text: "" });
  const { result } = await run(model, { steps: [asked("hi"), answered(""), note], life: 2, begin: 0 });
  expect(result).toMatchObject({ errorType: "empty_answer" });
  expect(model.requests).toHaveLength(1);
});

it("what hooks say that is only white space is no part of a request", async () => {
  const context = { hookEventName: "SessionStart", initialUserMessage: " \n" } as const;
  const hooks = { SessionStart: [{ hooks: [() => ({ hookSpecificOutput: context })] }] };
  const model = new ScriptedModel({ text: "fine" });
  await run(model, { hooks, sessionStart: "startup" });
  expect(model.requests[0]?.messages).toEqual([{ role: "user", content: [{ type: "text", text: "hi" }] }]);
});
