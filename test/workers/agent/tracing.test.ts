// What one query leaves behind: one trace, whole, whatever goes wrong. Spans come from a real agent in workerd.
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { KeptSpans } from "#shared/agent/beacon/kept-spans.ts";
import { scalarOf } from "../../../shared/tracing/otlp.ts";
import { ask, client, knock, logOf, post, send } from "./client.ts";
import { crash } from "./sessions.ts";
import { allSpans, one, rootOf, spansIn, traceOf, type Seen } from "./spans.ts";

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async function traced(text: string, session: string): Promise<Seen[]> {
  await send(await client("JSONRPC"), ask(text, session));
  return traceOf(session);
}

const shape = (spans: readonly Seen[]) => {
  const names = new Map(spans.map(({ spanId, name }) => [spanId, name]));
  return spans.map(({ name, parentSpanId }) => [name, names.get(parentSpanId ?? "") ?? ""].join(" < ")).toSorted();
};

/** What was written to the log while `work` ran. */
async function linesOf(level: "warn" | "log", work: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  const spy = vi.spyOn(console, level).mockImplementation((...said) => void lines.push(said.join(" ")));
  try {
    await work();
  } finally {
    spy.mockRestore();
  }
  return lines;
}

describe("a tool that throws", () => {
  it("leaves the stack in its span, and a line in the log that names agent, trace and span", async () => {
    let spans: Seen[] = [];
    const lines = await linesOf("warn", async () => (spans = await traced("call throw {}", "thrower")));
    const { events, traceId, spanId } = one(spans, "execute_tool throw");
    const [event] = events.filter(({ name }) => name === "exception");
    expect(scalarOf(event?.attributes ?? [], "exception.stacktrace")).toMatch(
      /^Error: thrown on purpose\n +at .*test-agent/,
    );
    const [line = "", ...others] = lines.filter((text) => text.includes("thrown on purpose"));
    expect(others).toEqual([]);
    expect(line).toMatch(/^\[tester\] The tool throw threw: Error: thrown on purpose\n +at .*test-agent/);
    expect(line.endsWith(` trace=${traceId} span=${spanId}`)).toBe(true);
  });
});

describe("the trace of a query", () => {
  it("is one tree: the message, its turn, and every model call and tool call below that", async () => {
    const spans = await traced('call echo {"text":"hi"}', "tree");
    expect(shape(spans)).toEqual([
      "SendMessage < ",
      "chat scripted < invoke_agent tester",
      "chat scripted < invoke_agent tester",
      "execute_tool echo < invoke_agent tester",
      "invoke_agent tester < SendMessage",
    ]);
    expect(spans.filter(({ open, error }) => open || error !== undefined)).toEqual([]);
    for (const { startTimeUnixNano, endTimeUnixNano } of spans) expect(endTimeUnixNano >= startTimeUnixNano).toBe(true);
  });

  it("says of a model call what it cost, how long it took to begin, and what was said", async () => {
    const chat = one(await traced("say hello there", "chat"), "chat scripted");
    expect(chat.kind).toBe(3);
    expect({
      provider: chat.get("gen_ai.provider.name"),
      input: chat.get("gen_ai.usage.input_tokens"),
      output: chat.get("gen_ai.usage.output_tokens"),
      response: chat.get("gen_ai.response.id"),
      server: chat.get("server.address"),
      port: chat.get("server.port"),
      agent: chat.get("gen_ai.agent.name"),
    }).toEqual({
      provider: "anthropic",
      input: 10,
      output: 5,
      response: "msg_1",
      server: "model.test",
      port: 443,
      agent: "tester",
    });
    expect(chat.get("troupe.cost.usd")).toBeUndefined();
    expect(chat.get("gen_ai.response.time_to_first_chunk")).toBeGreaterThanOrEqual(0);
    expect(JSON.parse(String(chat.get("gen_ai.input.messages")))).toEqual([
      { role: "user", parts: [{ type: "text", content: "say hello there" }] },
    ]);
    expect(JSON.parse(String(chat.get("gen_ai.output.messages")))).toEqual([
      { role: "assistant", parts: [{ type: "text", content: "hello there" }], finish_reason: "end_turn" },
    ]);
  });

  it("covers the whole stream of a model call, not only its beginning", async () => {
    const chat = one(await traced("drip one two three four", "drip"), "chat scripted");
    const ms = Number(BigInt(chat.endTimeUnixNano) - BigInt(chat.startTimeUnixNano)) / 1e6;
    expect(ms).toBeGreaterThanOrEqual(200);
    expect(Number(chat.get("gen_ai.response.time_to_first_chunk")) * 1000).toBeLessThan(ms);
  });

  it("goes on where the caller's began, and its root keeps the caller as parent", async () => {
    const message = { messageId: "m7", role: "ROLE_USER", parts: [{ text: "say hi" }], contextId: "remote" };
    await post("/message:send", { message }, { traceparent: TRACEPARENT });
    const root = rootOf(await traceOf("remote"));
    expect([root.traceId, root.parentSpanId]).toEqual(TRACEPARENT.split("-").slice(1, 3));
    expect([root.get("a2a.message.id"), root.get("troupe.trace.kind")]).toEqual(["m7", "query"]);
  });

  it("is sampled even where the caller's is not", async () => {
    const traceparent = TRACEPARENT.replace("0af7", "1af7").replace(/01$/, "00");
    const message = { messageId: "m", role: "ROLE_USER", parts: [{ text: "say hi" }], contextId: "unsampled" };
    await post("/message:send", { message }, { traceparent });
    expect(rootOf(await traceOf("unsampled")).traceId).toBe(traceparent.split("-")[1]);
  });

  it("names both sides of a question to another agent, its task and its thread", async () => {
    const spans = await traced('call query_agent {"agent":"other","message":"hello"}', "asking");
    const asking = one(spans, "SendStreamingMessage");
    expect(asking.parentSpanId).toBe(one(spans, "execute_tool query_agent").spanId);
    expect({
      source: asking.get("troupe.a2a.source"),
      target: asking.get("troupe.a2a.target"),
      thread: asking.get("gen_ai.conversation.id"),
      task: asking.get("a2a.task.id"),
      state: asking.get("a2a.task.state"),
      message: asking.get("troupe.a2a.message"),
    }).toEqual({
      source: "tester",
      target: "other",
      thread: "asking~tester.1",
      task: "asking~tester.1.1.task",
      state: "completed",
      message: "hello",
    });
    // What the other agent was sent as its parent is this very span.
    expect(asking.get("troupe.a2a.answer")).toContain(`00-${asking.traceId}-${asking.spanId}-01`);
  });

  it("is shown while it grows: a span that has begun is there, open", async () => {
    const stream = (await client("JSONRPC")).sendMessageStream(ask("hang", "growing"));
    await stream.next();
    const spans = await traceOf("growing", (seen) => seen.some(({ name }) => name === "chat scripted"));
    expect(spans.map(({ open }) => open)).toEqual([true, true, true]);
  });

  it("is there whatever ids its caller makes up, but not at their full length", async () => {
    const message = {
      messageId: "m".repeat(100_000),
      role: "ROLE_USER",
      parts: [{ text: "say hi" }],
      contextId: "long-id",
    };
    await post("/message:send", { message });
    expect(String(rootOf(await traceOf("long-id")).get("a2a.message.id"))).toHaveLength(301);
  });

  it("is not begun by cards, health, lists or reads", async () => {
    const task = await send(await client("JSONRPC"), ask("say hi", "reads"));
    const before = (await traceOf("reads")).length;
    const traces = new Set((await allSpans()).map(({ traceId }) => traceId)).size;
    await knock("/.well-known/agent-card.json");
    await knock("/health");
    await (await client("JSONRPC")).getTask({ tenant: "", id: task.id });
    // Whatever these had left behind would have come along with the next query.
    await traced("say bye", "reads-later");
    expect((await traceOf("reads")).length).toBe(before);
    expect(new Set((await allSpans()).map(({ traceId }) => traceId)).size).toBe(traces + 1);
  });
});

describe("a failure is in the trace", () => {
  it.each([
    ["a tool that throws", "call throw {}", "execute_tool throw", "tool_error", "thrown on purpose"],
    ["a tool that takes too long", "call brief {}", "execute_tool brief", "timeout", "did not return within 0.02 s"],
    ["a tool without a text", "call mute {}", "execute_tool mute", "invalid_output", "mute returned no text"],
    ["a tool that is not there", "call nothing {}", "execute_tool nothing", "refused", "no tool named nothing"],
    ["a wrong tool input", "call echo {}", "execute_tool echo", "ToolInputError", "does not fit its schema"],
    [
      "a private address",
      'call fetch_url {"url":"http://169.254.169.254/latest"}',
      "execute_tool fetch_url",
      "address_refused",
      "no public address",
    ],
    [
      "a peer that refuses",
      'call query_agent {"agent":"other","message":"refuse"}',
      "SendStreamingMessage",
      /.+/,
      "not now",
    ],
    [
      "a peer whose task fails",
      'call query_agent {"agent":"other","message":"fail"}',
      "SendStreamingMessage",
      "PeerTaskError",
      "could not",
    ],
    ["a model that refuses", "refuse", "invoke_agent tester", "model_refusal", "refused to answer"],
    ["a model's API that fails", "status 400", "chat scripted", "invalid_request", "as told"],
  ])("%s", async (_, text, name, type, message) => {
    const span = one(await traced(text, `fails-${text.replace(/\W/g, "").slice(0, 40)}`), name);
    expect(span.error).toMatch(type);
    expect(span.status.message).toContain(message);
  });

  it("a cancellation: the message with when it was asked for, and everything below it", async () => {
    const a2a = await client("JSONRPC");
    const stream = a2a.sendMessageStream(ask("hang", "given-up"));
    const { value } = await stream.next();
    await traceOf("given-up", (seen) => seen.some(({ name }) => name === "chat scripted"));
    await a2a.cancelTask({
      tenant: "",
      id: value?.payload?.$case === "task" ? value.payload.value.id : "",
      metadata: undefined,
    });
    const spans = await traceOf("given-up");
    expect(spans.map(({ error }) => error)).toEqual(["canceled", "canceled", "canceled"]);
    expect(rootOf(spans).get("a2a.task.state")).toBe("canceled");
    expect(rootOf(spans).events.map(({ name }) => name)).toEqual(["cancel requested"]);
  });

  it("questions that an isolate had asked before it died are told again, in case that their spans went with it", async () => {
    const a2a = await client("JSONRPC");
    const questions = ["hello", "forever"].map((message) => ({ agent: "other", message }));
    const stream = a2a.sendMessageStream(ask(`both ${JSON.stringify(questions)}`, "asked-before"));
    const { value } = await stream.next();
    const id = value?.payload?.$case === "task" ? value.payload.value.id : "";
    const isAnswered = async () => (await logOf("asked-before")).some(({ kind }) => kind === "tool_result");
    await expect.poll(isAnswered).toBe(true);
    await crash("asked-before");
    await a2a.getTask({ tenant: "", id });
    const [answered, hanging] = (await logOf("asked-before")).flatMap((step) =>
      step.kind === "peer_call" ? step : [],
    );
    expect([answered?.message, hanging?.message]).toEqual(["hello", "forever"]);
    const told = async () =>
      (await allSpans()).filter((span) => span.get("troupe.span.provisional") === true).map(({ spanId }) => spanId);
    await expect.poll(told).toContain(answered?.spanId);
    await a2a.cancelTask({ tenant: "", id, metadata: undefined });
  });

  it("an isolate that died in mid-turn: its next life goes on under the same message, in a turn that knows the one before", async () => {
    const a2a = await client("JSONRPC");
    const stream = a2a.sendMessageStream(ask("call hang {}", "died"));
    const { value } = await stream.next();
    const id = value?.payload?.$case === "task" ? value.payload.value.id : "";
    const before = await traceOf("died", (seen) => seen.some(({ name }) => name === "execute_tool hang"));
    await crash("died");
    await a2a.getTask({ tenant: "", id });
    const turns = (seen: readonly Seen[]) => seen.filter(({ name }) => name === "invoke_agent tester");
    await traceOf("died", (seen) => turns(seen).length === 2);
    await a2a.cancelTask({ tenant: "", id, metadata: undefined });
    const spans = await traceOf("died");
    expect(rootOf(spans).spanId).toBe(rootOf(before).spanId);
    expect(rootOf(spans).get("troupe.a2a.message")).toBe("call hang {}");
    const [first] = turns(before);
    const later = turns(spans).find(({ spanId }) => spanId !== first?.spanId);
    expect(turns(spans).find(({ spanId }) => spanId === first?.spanId)?.error).toBe("interrupted");
    expect(later?.links).toEqual([expect.objectContaining({ traceId: first?.traceId, spanId: first?.spanId })]);
    expect(later?.error).toBe("canceled");
  });
});

describe("content", () => {
  it("is recorded without secrets: those the agent knows, and what looks like one", async () => {
    const secret = "sk-ant-api03-abcdefghijklmnop";
    const spans = await traced(`say ${secret} and ${env.TROUPE_TOKEN}`, "secrets");
    expect(JSON.stringify(spans)).not.toContain(secret);
    expect(JSON.stringify(spans)).not.toContain(env.TROUPE_TOKEN);
    expect(rootOf(spans).get("troupe.a2a.message")).toBe("say [redacted] and [redacted]");
  });

  it("is cut where it is long, and says so", async () => {
    const tool = one(await traced("call long {}", "cut"), "execute_tool long");
    const result = String(tool.get("gen_ai.tool.call.result"));
    expect(result.length).toBeLessThan(33_000);
    expect(result).toMatch(/\[cut: \d+ of \d+ characters left out\]$/);
  });
});

describe("spans that cannot be delivered", () => {
  const beacon = () => env.BEACON.getByName("beacon");
  const waiting = () =>
    runInDurableObject(beacon(), (_, { storage }) => new KeptSpans(storage.sql).oldest()?.request.byteLength ?? 0);
  /** Whether the end of the query's root is kept: it is the last that the query sends. */
  const isEndKept = () =>
    runInDurableObject(beacon(), (_, { storage }) =>
      storage.sql
        .exec<{ bytes: ArrayBuffer }>("SELECT bytes FROM kept_spans")
        .toArray()
        .flatMap(({ bytes }) => spansIn(JSON.parse(new TextDecoder().decode(bytes))))
        .some((span) => span.kind === 2 && !span.open && span.get("gen_ai.conversation.id") === "undelivered"),
    );
  const registrations = async () => {
    const log = await env.CONTROL_PLANE.fetch("https://control-plane/log");
    return (await log.json<string[]>()).filter((line) => line === "POST /agents/register").length;
  };
  afterEach(() => allSpans("/up"));

  it("are kept in the agent's storage, and sent when the store is back", async () => {
    await knock("/health");
    const registered = await registrations();
    await allSpans("/down");
    await send(await client("JSONRPC"), ask("say hi", "undelivered"));
    await expect.poll(waiting).toBeGreaterThan(0);
    await expect.poll(isEndKept).toBe(true);
    expect((await allSpans()).some((span) => span.get("gen_ai.conversation.id") === "undelivered")).toBe(false);
    await allSpans("/up");
    await expect
      .poll(async () => {
        await runDurableObjectAlarm(beacon());
        return waiting();
      })
      .toBe(0);
    expect((await traceOf("undelivered")).map(({ open }) => open)).toEqual([false, false, false]);
    // So that the registry closes what a former life left open among them.
    await expect.poll(registrations).toBe(registered + 1);
  });

  it("do not hold up the others where the store cannot take some of them", async () => {
    const order = await runInDurableObject(env.SCRATCH.getByName("postponed"), (_, { storage }) => {
      const kept = new KeptSpans(storage.sql);
      for (const length of [1, 2, 3]) kept.add(new Uint8Array(length));
      const lengths: (number | undefined)[] = [];
      const first = kept.oldest();
      if (first) kept.postpone(first);
      for (let next = kept.oldest(); next; next = kept.oldest()) {
        lengths.push(next.request.byteLength);
        kept.remove(next);
        kept.remove(next);
      }
      return lengths;
    });
    expect(order).toEqual([2, 3, 1]);
  });

  it("are kept up to a limit, and then the oldest give way", async () => {
    const dropped = await runInDurableObject(env.SCRATCH.getByName("kept"), (_, { storage }) => {
      const kept = new KeptSpans(storage.sql, 5_000_000);
      const request = new Uint8Array(1_250_000);
      return [1, 2, 3, 4, 5].map(() => kept.add(request));
    });
    expect(dropped).toEqual([0, 0, 0, 0, 1]);
  });
});
