// The circuit breaker before a backend, over a real socket: what trips it, what it spares the backend, and what it tells.
import { expect, it } from "vitest";
import { Breaker } from "#shared/resilience/breaker.ts";
import type { ModelRequest } from "#shared/models/model.ts";
import { randomContext } from "#shared/tracing/trace-context.ts";
import { CollectingTracer } from "../../support/collecting-tracer.ts";
import { answer, RawMessagesApi, START, text, type Behave } from "../../support/raw-messages-api.ts";
import { run } from "../loop/scripted.ts";

const api = await RawMessagesApi.forFile();

const status =
  (code: number): Behave =>
  (response) =>
    response.writeHead(code, { "x-should-retry": "false" }).end("{}");
const whole: Behave = (response) => response.end(answer(text("whole")));
const request: ModelRequest = {
  system: "",
  messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
  tools: [],
};

function guarded(behave: Behave, more: { idleLimitMs?: number } = {}) {
  const clock = { now: Date.UTC(2026, 0, 1) };
  const gate = new Breaker("model:claude-sonnet-5-5", () => clock.now);
  api.behave = behave;
  return { clock, gate, model: api.model({ gate, ...more }) };
}

it.each([500, 503, 529])("five calls in a row that end in %i open it, and the sixth is not made", async (code) => {
  const { gate, model } = guarded(status(code));
  for (let n = 0; n < 5; n++) await run(model);
  expect(gate.status()).toMatchObject({ state: "open", failures: 5 });
  const { result } = await run(model);
  expect(result).toMatchObject({
    subtype: "error_during_execution",
    errorType: "circuit_open",
    message: expect.stringMatching(
      /^The circuit to model claude-sonnet-5-5 is open since .*, the last: The model API .*\. It is tried again in 5 s\.$/,
    ),
  });
  expect(api.calls).toHaveLength(5);
});

it.each([400, 401, 403, 404, 429])("calls that end in %i do not, however many", async (code) => {
  const { gate, model } = guarded(status(code));
  for (let n = 0; n < 6; n++) await run(model);
  expect(gate.status()).toMatchObject({ state: "closed", failures: 0 });
  expect(api.calls).toHaveLength(6);
});

it.each<[string, Behave]>([
  ["breaks off", (response) => response.end(START)],
  ["stalls", (response) => response.write(START)],
])("each attempt of a call that %s counts", async (_, behave) => {
  const { gate, model } = guarded(behave, { idleLimitMs: 40 });
  await run(model);
  expect(gate.status().failures).toBe(3);
  expect((await run(model)).result).toMatchObject({ errorType: "circuit_open" });
  expect(api.calls).toHaveLength(5);
});

it("each connection that cannot be made counts", async () => {
  const { gate, model } = guarded((response) => response.destroy());
  await run(model);
  expect(gate.status().failures).toBe(3);
});

it("a call that is canceled counts for nothing", async () => {
  const abort = new AbortController();
  const { gate, model } = guarded((response) => response.write(START, () => abort.abort()));
  for (let n = 0; n < 4; n++) gate.enter().failure("before");
  expect((await run(model, { signal: abort.signal })).result.subtype).toBe("canceled");
  expect(gate.status()).toMatchObject({ state: "closed", failures: 4 });
});

it("of many calls after the cool-down exactly one request goes through, and its success lets all others pass", async () => {
  const { clock, gate, model } = guarded((response) => response.writeHead(529).end("{}"));
  for (let n = 0; n < 5; n++) gate.enter().failure("before");
  clock.now += 5_000;
  const results = await Promise.all(Array.from({ length: 5 }, async () => run(model)));
  expect(results.map(({ result }) => (result.subtype === "error_during_execution" ? result.errorType : ""))).toEqual([
    "overloaded",
    "circuit_open",
    "circuit_open",
    "circuit_open",
    "circuit_open",
  ]);
  // The client makes no retries of a probe either.
  expect(api.calls).toHaveLength(1);

  api.behave = whole;
  clock.now += 10_000;
  expect((await run(model)).result.subtype).toBe("success");
  expect(gate.status()).toMatchObject({ state: "closed", failures: 0 });
  const after = await Promise.all(Array.from({ length: 3 }, async () => run(model)));
  expect(after.map(({ result }) => result.subtype)).toEqual(["success", "success", "success"]);
});

it("its changes are events of the span whose call brought them about", async () => {
  const { clock, gate, model } = guarded(status(500));
  const tracer = new CollectingTracer();
  const parent = randomContext();
  const trace = { tracer, parent, task: parent, agent: "tester", contextId: "c" };
  for (let n = 0; n < 4; n++) gate.enter().failure("before");
  await run(model, { trace });
  clock.now += 5_000;
  api.behave = whole;
  await run(model, { trace });
  const about = (state: string, failures: number) => ({
    name: `breaker ${state}`,
    attributes: {
      "troupe.breaker.target": "model:claude-sonnet-5-5",
      "troupe.breaker.state": state,
      "troupe.breaker.failures": failures,
    },
  });
  expect(tracer.spans.map(({ events }) => events)).toEqual([
    [about("open", 5)],
    [about("half_open", 5), about("closed", 0)],
  ]);
});

it("while it is open tokens are not counted, and nothing is compacted", async () => {
  const { gate, model } = guarded(whole);
  const { signal } = new AbortController();
  for (let n = 0; n < 5; n++) gate.enter().failure("before");
  expect(await model.countTokens(request, signal)).toBeUndefined();
  await expect(model.compact?.(request, "Summarise", signal, () => {})).rejects.toMatchObject({ code: "circuit_open" });
  expect(api.calls).toEqual([]);
});
