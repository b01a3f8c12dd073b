// Compaction over a real socket: the API's own and the summarising call, each accounted for and traced as a model call.
import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { Breaker, type Gate } from "#shared/resilience/breaker.ts";
import { randomContext } from "#shared/tracing/trace-context.ts";
import { CollectingTracer } from "../../../support/collecting-tracer.ts";
import { answer, RawMessagesApi, START, text } from "../../../support/raw-messages-api.ts";
import { run } from "../scripted.ts";
import { asked, book, rounds } from "../steps.ts";

const api = await RawMessagesApi.forFile();

const json = (status: number, body: unknown) => (response: ServerResponse) =>
  response
    .writeHead(status, { "content-type": "application/json", "x-should-retry": "false" })
    .end(JSON.stringify(body));
const usage = {
  input_tokens: 0,
  output_tokens: 0,
  iterations: [{ type: "compaction", input_tokens: 9_000, output_tokens: 300 }],
};
const summary = json(200, { content: [{ type: "compaction", content: "OWN" }], stop_reason: "compaction", usage });
const failed = json(200, { content: [{ type: "compaction", content: null }], stop_reason: "compaction", usage });

type Serve = (response: ServerResponse) => void;

interface Circumstances {
  readonly gate?: Gate;
  readonly signal?: AbortSignal;
  readonly summarise?: Serve;
}

/** A conversation that is full, at an API whose own compaction does `own`; its answers are SUMMARY, then done. */
async function compacted(
  own: Serve,
  { gate, signal, summarise = (response) => response.end(answer(text("SUMMARY"))) }: Circumstances = {},
) {
  const answers = [summarise];
  api.behave = (response) => {
    const call = api.calls.at(-1);
    if (call?.path.includes("count_tokens")) return json(200, { input_tokens: 9_900 })(response);
    if (call && "compaction" in call.body) return own(response);
    const isSummary = String(call?.body["system"]).startsWith("Summarise");
    const next = isSummary ? answers.shift() : undefined;
    return next ? next(response) : response.end(answer(text("done")));
  };
  const { lines, account } = book();
  const tracer = new CollectingTracer();
  const parent = randomContext();
  const trace = { tracer, parent, task: parent, agent: "tester", contextId: "c" };
  const model = { ...api.model(gate ? { gate } : {}), price: { input: 1, output: 1, cacheRead: 1, cacheWrite: 1 } };
  const ran = await run(model, {
    steps: [...rounds(10, 2_900), asked("last")],
    account,
    trace,
    ...(signal ? { signal } : {}),
  });
  return { ...ran, lines, spans: tracer.spans };
}

it("the summarising call is taken by an API that takes blocks alone, with the conversation before it", async () => {
  const { result, steps } = await compacted(json(404, {}));
  expect(result).toMatchObject({ subtype: "success", text: "done" });
  expect(steps).toContainEqual(expect.objectContaining({ kind: "compaction", summary: "SUMMARY" }));
  const asking = api.calls.find(({ body }) => String(body["system"]).startsWith("Summarise"));
  const said = asking?.body.messages.map(({ role, content }) => [role, content.at(-1)?.["text"]]);
  expect(said?.[0]).toEqual(["user", expect.stringContaining("question 1.")]);
  expect(said?.at(-1)).toEqual(["user", "Summarise the conversation above."]);
});

describe("what was reserved for the API's own compaction", () => {
  it("is settled with the usage of the compaction", async () => {
    const { lines, steps } = await compacted(summary);
    expect(lines.slice(0, 2)).toEqual(["reserve r1", "settle r1 9000+300"]);
    expect(steps).toContainEqual(expect.objectContaining({ kind: "compaction", summary: "OWN", reservation: "r1" }));
  });

  it.each<[string, Serve]>([
    ["the summary failed", failed],
    [
      "the server ignored the parameter and answered",
      json(200, { content: [{ type: "text", text: "hi" }], usage: { input_tokens: 9_000, output_tokens: 300 } }),
    ],
  ])("is settled also where %s, and counts in the result", async (_, own) => {
    const { lines, steps, result } = await compacted(own);
    expect(lines.slice(0, 3)).toEqual(["reserve r1", "settle r1 9000+300", "reserve r2"]);
    expect(steps).toContainEqual(expect.objectContaining({ kind: "compaction_failed", by: "api", reservation: "r1" }));
    expect(steps).toContainEqual(expect.objectContaining({ kind: "compaction", summary: "SUMMARY" }));
    expect(result.usage.inputTokens).toBeGreaterThan(9_000);
  });

  it.each([400, 401, 404, 429, 529])("is released where that was turned away with %i", async (status) => {
    const { lines } = await compacted(json(status, {}));
    expect(lines.slice(0, 3)).toEqual(["reserve r1", "release r1", "reserve r2"]);
  });

  it("is cut where nobody knows what the answer cost", async () => {
    const { lines } = await compacted((response) => response.writeHead(200).end("<html>gateway</html>"));
    expect(lines.slice(0, 3)).toEqual(["reserve r1", "cut r1", "reserve r2"]);
  });

  it("is cut where the task is canceled meanwhile", async () => {
    const abort = new AbortController();
    const { lines, result } = await compacted(() => abort.abort(), { signal: abort.signal });
    expect(result.subtype).toBe("canceled");
    expect(lines).toEqual(["reserve r1", "cut r1"]);
  });

  it("is released where the circuit is open, and no call is made", async () => {
    const gate = new Breaker("model:m");
    for (let n = 0; n < 5; n++) gate.enter().failure("before");
    const { lines, result } = await compacted(summary, { gate });
    expect(lines).toEqual(["reserve r1", "release r1", "reserve r2", "release r2"]);
    expect(result).toMatchObject({ errorType: "circuit_open" });
    expect(api.calls).toEqual([]);
  });

  it("is not asked for where the API is known to have no compaction", async () => {
    const model = api.model();
    api.behave = json(404, {});
    const request = {
      system: "",
      messages: [{ role: "user" as const, content: [{ type: "text" as const, text: "x" }] }],
      tools: [],
    };
    await expect(model.compact?.(request, "x", new AbortController().signal, () => {})).rejects.toThrow("404");
    api.behave = (response) => response.end(answer(text("SUMMARY")));
    const { lines, account } = book();
    await run(model, { steps: [...rounds(11, 2_900), asked("last")], account });
    expect(lines.map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual([
      "reserve r1",
      "settle r1",
      "reserve r2",
      "settle r2",
    ]);
  });
});

describe("the trace of a compaction", () => {
  const named = (spans: CollectingTracer["spans"], name: string) => spans.filter((span) => span.name === name);

  it("has the call of the API's own compaction, with its tokens, its cost and its summary", async () => {
    const { spans } = await compacted(summary);
    const [own] = named(spans, "chat claude-sonnet-5-5");
    expect(own?.attributes).toMatchObject({
      "gen_ai.usage.input_tokens": 9_000,
      "gen_ai.usage.output_tokens": 300,
      "troupe.cost.usd": 0.0093,
      "gen_ai.request.stream": false,
      "gen_ai.output.messages": expect.stringContaining("OWN"),
    });
    expect(own).toMatchObject({ ended: true, failed: false });
    const [compaction] = named(spans, "compact");
    expect(compaction).toMatchObject({ ended: true, failed: false });
    expect(compaction?.attributes["troupe.compaction.tokens_before"]).toBe(9_900);
    expect(compaction?.attributes["troupe.compaction.tokens_after"]).toBeGreaterThan(100);
    expect(own?.parentSpanId).toBe(compaction?.spanId);
  });

  it("has what was set aside for it", async () => {
    const { spans } = await compacted(summary);
    const [reservation] = named(spans, "reserve budget");
    expect(reservation).toMatchObject({ ended: true, failed: false });
    expect(reservation?.attributes["troupe.budget.reserved"]).toBe(10_000);
  });

  it("has why the API's own compaction was turned away, that it was asked again, and that a circuit opened", async () => {
    const gate = new Breaker("model:m");
    for (let n = 0; n < 4; n++) gate.enter().failure("before");
    let n = 0;
    const own: Serve = (response) =>
      ++n === 1 ? response.writeHead(529, { "retry-after-ms": "1" }).end("{}") : json(529, {})(response);
    const { spans } = await compacted(own, { gate });
    const [call] = named(spans, "chat claude-sonnet-5-5");
    expect(call).toMatchObject({ ended: true, failed: true });
    expect(call?.attributes["error.type"]).toBe("overloaded");
    expect(call?.events.map(({ name }) => name)).toEqual(["retry", "breaker open"]);
  });

  it("is marked as failed where the summary came to nothing", async () => {
    const refuse: Serve = (response) => response.end(answer(text("I will not."), "refusal"));
    const { spans, result } = await compacted(json(404, {}), { summarise: refuse });
    expect(result).toMatchObject({ subtype: "success", text: "done" });
    expect(named(spans, "compact")).toMatchObject([{ ended: true, failed: true }]);
  });
});

it("a summarising call that breaks off is made again, each attempt with its own reservation", async () => {
  const { lines, result } = await compacted(json(404, {}), { summarise: (response) => response.end(START) });
  expect(result.subtype).toBe("success");
  expect(lines.slice(0, 5)).toEqual(["reserve r1", "release r1", "reserve r2", "cut r2", "reserve r3"]);
});
