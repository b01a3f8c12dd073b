// The request of a model call: what is sent where, and when it is sent again.
import { once } from "node:events";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { describe, expect, it, vi } from "vitest";
import { messagesApi, type MessagesApiOptions } from "#shared/models/messages-api.ts";
import type { ModelNotice, ModelRequest } from "#shared/models/model.ts";
import { answer, RawMessagesApi, text } from "../../support/raw-messages-api.ts";

const api = await RawMessagesApi.forFile();
/** No connection to it has been broken, which would change how Node's fetch chooses among them. */
const other = await RawMessagesApi.forFile();

const request: ModelRequest = {
  system: "You talk.",
  messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
  tools: [],
};
const whole = (response: ServerResponse) => response.end(answer(text("whole")));
const model = (more: Partial<MessagesApiOptions> = {}) =>
  messagesApi({
    baseUrl: api.url,
    apiKey: "key",
    model: "m",
    provider: "anthropic",
    maxTokens: 100,
    contextTokens: 10_000,
    fetch,
    ...more,
  });

/** Makes a call to its end; resolves to the notices of it. */
async function call(more: Partial<MessagesApiOptions> = {}, signal = new AbortController().signal) {
  const notices: ModelNotice[] = [];
  for await (const event of model(more).stream(request, signal, (notice) => notices.push(notice)))
    expect(event.type).toMatch(/^(?:message|content_block)_/);
  return notices;
}

describe("what is sent", () => {
  it("is the whole request, in JSON", async () => {
    api.behave = whole;
    const echo = { name: "echo", input_schema: { type: "object" as const } };
    const schema = { type: "object" };
    const full = { ...request, tools: [echo], maxTokens: 7, outputSchema: schema };
    for await (const _ of model().stream(full, new AbortController().signal, () => {}));
    await call();
    const always = { model: "m", system: "You talk.", messages: request.messages, stream: true };
    const cached = { cache_control: { type: "ephemeral" } };
    const format = { type: "json_schema", schema };
    expect(api.calls.map(({ body }) => body)).toEqual([
      { ...always, ...cached, tools: [echo], max_tokens: 7, output_config: { format } },
      { ...always, ...cached, max_tokens: 100 },
    ]);
  });

  it.each(["", "/", "/v/1", "/v/1/"])("goes to the path of the API below the address (%j)", async (path) => {
    api.behave = whole;
    await call({ baseUrl: api.url + path });
    expect(api.calls.map((sent) => sent.path)).toEqual([`${path.replace(/\/$/, "")}/v1/messages`]);
  });

  it("has the headers that the API's own client sends for a count, and those that the deployment adds or replaces", async () => {
    const seen: IncomingHttpHeaders[] = [];
    api.behave = (response) => {
      seen.push(response.req.headers);
      whole(response);
    };
    const counting = model().countTokens(request, new AbortController().signal);
    await expect(counting).rejects.toMatchObject({ code: "broken_stream" });
    await call();
    await call({ headers: { Authorization: "own", "X-Own": "1" } });
    const [counted, plain, own] = seen.map((headers) =>
      ["accept", "anthropic-version", "authorization", "content-type", "x-own"].map((name) => headers[name]),
    );
    expect(plain).toEqual(counted);
    expect(plain).toContain("Bearer key");
    expect(own).toEqual(["application/json", plain?.[1], "own", "application/json", "1"]);
  });
});

describe("a request that is refused", () => {
  /** Refuses without a pause. */
  const refuse = (status: number, headers: Record<string, string>) => {
    api.behave = (response) => response.writeHead(status, { "retry-after-ms": "1", ...headers }).end("{}");
  };

  it.each<[number, Record<string, string>, number]>([
    [400, {}, 1],
    [404, {}, 1],
    [408, {}, 3],
    [409, {}, 3],
    [429, {}, 3],
    [500, {}, 3],
    [529, {}, 3],
    [400, { "x-should-retry": "true" }, 3],
    [307, { "x-should-retry": "true" }, 3],
    [529, { "x-should-retry": "false" }, 1],
    [529, { "x-should-retry": "perhaps" }, 3],
    [429, { "retry-after-ms": "60001" }, 1],
    [429, { "retry-after-ms": "60001", "x-should-retry": "true" }, 1],
  ])("with %i %j is made %i times", async (status, headers, times) => {
    refuse(status, headers);
    await expect(call()).rejects.toMatchObject({ name: "ModelError", retryable: false });
    expect(api.calls).toHaveLength(times);
  });

  it("and then answered tells each refusal", async () => {
    api.behave = (response, n) =>
      n <= 2 ? response.writeHead(n === 1 ? 529 : 429, { "retry-after-ms": "1" }).end("{}") : whole(response);
    expect(await call()).toEqual([
      { kind: "retry", attempt: 1, status: 529, reason: "529" },
      { kind: "retry", attempt: 2, status: 429, reason: "429" },
    ]);
  });

  it("is made again after the pause that the API asks for, which is no silence", async () => {
    api.behave = (response, n) =>
      n === 1 ? response.writeHead(529, { "retry-after-ms": "200" }).end("{}") : whole(response);
    await call({ idleLimitMs: 40 });
    const [first, second] = api.calls.map(({ at }) => at);
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(195);
  });

  it("by an answer without an end is made again all the same, and nothing more of that answer is read", async () => {
    const cancel = vi.fn<() => void>();
    const endless = new Response(new ReadableStream({ cancel }), { status: 529, headers: { "retry-after-ms": "1" } });
    const answers = [endless, new Response(new TextEncoder().encode(answer(text("whole"))))];
    await call({ fetch: async () => answers.shift() ?? Response.error() });
    expect([answers, cancel.mock.calls.length]).toEqual([[], 1]);
  });

  it.each(["while its refusal is put away", "in the pause"])(
    "is not made again once the call is canceled %s",
    async (when) => {
      const abort = new AbortController();
      const reason = new Error("canceled");
      api.behave = (response) => response.writeHead(529, { "retry-after": "50" }).end("{}");
      const refused: typeof fetch = async (...sent) => {
        const response = await fetch(...sent);
        if (when === "in the pause") setTimeout(() => abort.abort(reason), 20);
        else queueMicrotask(() => abort.abort(reason));
        return response;
      };
      await expect(call({ fetch: refused }, abort.signal)).rejects.toBe(reason);
      expect(api.calls).toHaveLength(1);
    },
  );
});

it("a call that is canceled before it begins makes no request", async () => {
  const reason = new Error("canceled");
  await expect(call({}, AbortSignal.abort(reason))).rejects.toBe(reason);
  expect(api.calls).toEqual([]);
});

it("a call that is canceled between two events of one chunk tells no other event", async () => {
  api.behave = whole;
  const abort = new AbortController();
  const reason = new Error("canceled");
  const told: string[] = [];
  const all = async () => {
    for await (const { type } of model().stream(request, abort.signal, () => {})) {
      told.push(type);
      abort.abort(reason);
    }
  };
  await expect(all()).rejects.toBe(reason);
  expect(told).toEqual(["message_start"]);
});

it("a connection that breaks before an answer is told at once, since the API may have worked on the call", async () => {
  api.behave = (response) => response.destroy();
  await expect(call()).rejects.toMatchObject({ code: "connection_lost", retryable: true });
  expect(api.calls).toHaveLength(1);
});

it("a key that is no header's value is told as an error of the call", async () => {
  await expect(call({ apiKey: "a\nb" })).rejects.toMatchObject({ name: "ModelError" });
  expect(api.calls).toEqual([]);
});

it("whoever stops in mid-stream closes the connection", async () => {
  let closed: Promise<unknown> | undefined;
  api.behave = (response) => {
    closed = once(response, "close");
    response.write(answer(text("half")).split("event: content_block_stop")[0]);
  };
  for await (const { type } of model().stream(request, new AbortController().signal, () => {}))
    if (type === "content_block_delta") break;
  await expect(closed).resolves.toBeDefined();
});

describe("the connection of a whole answer", () => {
  it("serves a later call, also where the answer ends after its last event", async () => {
    const connections = new Set<unknown>();
    let end = () => {};
    other.behave = (response) => {
      connections.add(response.req.socket);
      response.write(answer(text("whole")));
      end = () => response.end();
    };
    do {
      await call({ baseUrl: other.url });
      end();
    } while (connections.size === other.calls.length);
    expect(connections.size).toBeLessThan(other.calls.length);
  });

  it.each([
    ["much follows on the answer", "x".repeat(1_000_000)],
    ["nothing follows on it, not even its end, for as long as silence may last", ""],
  ])("is closed where %s", async (_, rest) => {
    let closed: Promise<unknown> | undefined;
    api.behave = (response) => {
      closed = once(response, "close");
      response.write(answer(text("whole")) + rest);
    };
    await call({ idleLimitMs: rest === "" ? 40 : 60_000 });
    await expect(closed).resolves.toBeDefined();
  });
});
