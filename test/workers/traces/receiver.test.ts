import { env as bindings } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { mac } from "#shared/a2a/token.ts";
import { randomHex } from "#shared/tracing/trace-context.ts";
import controlPlane from "../../../workers/control-plane/index.ts";
import { decodeResponse, encodeRequest } from "../../../workers/control-plane/traces/otlp/protobuf.ts";
import { TestTraces } from "./test-traces.ts";
import { job, ownJob, traceId } from "./own-job.ts";
import { call, nano, post, resource, rows, span, START, summary, tokenOf, traceIds } from "./spans.ts";

ownJob();

const PROTOBUF = { "content-type": "application/x-protobuf" };

test("an export in JSON is stored and answered with an empty success", async () => {
  const response = await post(job, { resourceSpans: [resource("searcher", [span({ traceId, end: 10 })])] });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/json");
  expect(await response.text()).toBe("{}");
  expect(await rows(job, traceId)).toMatchObject([{ agent: "searcher", durationUs: 10_000 }]);
});

test("an export in protobuf is stored like one in JSON, to the nanosecond, and is the same as it", async () => {
  const sent = {
    ...span({ traceId, attributes: { text: "tïdes", whole: 7, part: 0.5, flag: true, list: ["a", "b"] } }),
    parentSpanId: randomHex(8),
    traceState: "vendor=1",
    endTimeUnixNano: `${START}123457`,
    events: [{ timeUnixNano: nano(1), name: "first chunk", attributes: [] }],
    links: [{ traceId: randomHex(16), spanId: randomHex(8), attributes: [] }],
    status: { message: "no", code: 2 },
  };
  const whole = { key: "bytes", value: { bytesValue: "AAH/" } };
  const body = { resourceSpans: [resource("searcher", [{ ...sent, attributes: [...sent.attributes, whole] }])] };
  const response = await post(job, encodeRequest(JSON.stringify(body)), PROTOBUF);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/x-protobuf");
  expect((await response.bytes()).length).toBe(0);
  const stored = await (await call(job, `/v1/traces/${traceId}/otlp`)).json();
  expect(stored).toEqual({ ...body, next: null });
  expect(await (await post(job, body)).text()).toBe("{}");
  expect(await rows(job, traceId)).toMatchObject([{ seq: 1, durationUs: 123 }]);
});

test.for(["json", "protobuf"])("a packed export in %s is unpacked", async (encoding) => {
  const json = JSON.stringify({ resourceSpans: [resource("searcher", [span({ traceId, end: 10 })])] });
  const body = encoding === "json" ? new TextEncoder().encode(json) : encodeRequest(json);
  const headers = encoding === "json" ? {} : PROTOBUF;
  const response = await post(job, await gzip(body), { ...headers, "content-encoding": "gzip" });
  expect(response.status).toBe(200);
  expect(await rows(job, traceId)).toHaveLength(1);
});

test("one request may have more spans than an object takes at once", async () => {
  const spans = Array.from({ length: 12_000 }, (_, n) => ({
    traceId,
    spanId: (n + 1).toString(16).padStart(16, "0"),
    startTimeUnixNano: nano(0),
  }));
  expect(await (await post(job, { resourceSpans: [resource("a", [...spans, ...spans])] })).text()).toBe("{}");
  expect(await summary(job, traceId)).toMatchObject({ spans: 12_000, openSpans: 12_000 });
});

test("an empty export is a success", async () => {
  expect(await (await post(job, {})).text()).toBe("{}");
  expect(await (await post(job, { resourceSpans: [] })).text()).toBe("{}");
  expect((await post(job, new Uint8Array(), PROTOBUF)).status).toBe(200);
});

const BAD_SPANS: [string, object, string][] = [
  ["a short trace id", { traceId: "abc" }, 'traceId must be 32 hex digits, not "abc"'],
  ["a trace id in base64", { traceId: "AAAAAAAAAAAAAAAAAAAAAA==" }, "traceId must be 32 hex digits"],
  ["a trace id of zeros", { traceId: "0".repeat(32) }, "traceId must not be all zero"],
  ["a span id that is no hex", { spanId: "x".repeat(16) }, "spanId must be 16 hex digits"],
  ["a span id of zeros", { spanId: "0".repeat(16) }, "spanId must not be all zero"],
  ["no start", { startTimeUnixNano: undefined }, "it has no startTimeUnixNano"],
  ["a start that is no time", { startTimeUnixNano: "yesterday" }, "startTimeUnixNano must be nanoseconds"],
  [
    "a start two hours ahead",
    { startTimeUnixNano: nano(7_200_000), endTimeUnixNano: "0" },
    "more than an hour from now",
  ],
  ["too much content", { name: "x".repeat(600_000) }, "at most 600000 are taken"],
];

test.for(BAD_SPANS)("a span with %s is refused alone, with the reason", async ([, changes, reason]) => {
  const bad = { ...span({ traceId, end: 10 }), ...changes };
  const good = span({ traceId, end: 5 });
  const response = await post(job, { resourceSpans: [resource("searcher", [bad, good])] });
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    partialSuccess: { rejectedSpans: "1", errorMessage: expect.stringContaining(reason) },
  });
  expect(await rows(job, traceId)).toMatchObject([{ spanId: good.spanId }]);
});

const SPOILT: [string, object, string, object][] = [
  ["a parent id that is none", { parentSpanId: "root" }, "parentSpanId must be 16 hex digits", { parentId: "" }],
  ["a negative end", { endTimeUnixNano: "-5" }, "endTimeUnixNano must be nanoseconds", { durationUs: 0 }],
  ["an end beyond 64 bits", { endTimeUnixNano: "18446744073709551616" }, "must be nanoseconds", { durationUs: 0 }],
  ["an end before its start", { endTimeUnixNano: nano(-1) }, "it ends before it starts", { durationUs: 0 }],
  ["an end two hours ahead", { endTimeUnixNano: nano(7_200_000) }, "more than an hour from now", { durationUs: 0 }],
  ["a kind in words", { kind: "SPAN_KIND_CLIENT" }, 'kind must be a number, not "SPAN_KIND_CLIENT"', {}],
  ["an unknown kind", { kind: 6 }, "kind must be one of 0 to 5, not 6", {}],
  ["a name that is no text", { name: 5 }, "name must be text", { name: "" }],
  ["attributes that are no list", { attributes: { a: 1 } }, "attributes must be a list", {}],
  ["an attribute without a key", { attributes: [{ value: { stringValue: "x" } }] }, "needs a key", {}],
  [
    "an attribute of a wrong type",
    { attributes: [{ key: "a", value: { intValue: 1.5 } }] },
    "has a intValue of the wrong type",
    {},
  ],
  [
    "attributes nested too deep",
    { attributes: [{ key: "deep", value: nested(22) }] },
    '"deep" is nested more than 20 deep',
    {},
  ],
  ["an unknown status", { status: { code: 3 } }, "status.code must be one of 0 to 2, not 3", { status: 0 }],
  ["a link of zeros", { links: [{ traceId: "0".repeat(32), spanId: "0".repeat(16) }] }, "must not be all zero", {}],
  ["a link without ids", { links: [{}] }, "a link's traceId must be 32 hex digits, not nothing", {}],
  ["an event that is none", { events: ["x"] }, "each of events must be an object", {}],
  ["flags that are none", { flags: "x", droppedLinksCount: -1 }, "flags must be a number", {}],
  ["a status that is none", { status: "failed" }, "status must be an object", { status: 0 }],
];

test.for(SPOILT)("a span with %s is kept without that, and its sender is told", async ([, changes, reason, kept]) => {
  const log = vi.spyOn(console, "warn").mockImplementation(() => {});
  const spoilt = { ...span({ traceId, end: 10 }), ...changes };
  const response = await post(job, { resourceSpans: [resource("searcher", [spoilt])] });
  expect([response.status, await response.json()]).toEqual([
    200,
    { partialSuccess: { rejectedSpans: "0", errorMessage: expect.stringContaining(reason) } },
  ]);
  expect(await rows(job, traceId)).toMatchObject([{ spanId: spoilt.spanId, ...kept }]);
  expect(log.mock.calls.flat().join()).toContain(reason);
});

test("what is left out of a span is counted as dropped, and the rest of it stays", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const good = { key: "kept", value: { stringValue: "x" } };
  const link = { traceId: "7".repeat(32), spanId: "8".repeat(16) };
  const spoilt = {
    ...span({ traceId, end: 10 }),
    attributes: [good, { key: "bad", value: { intValue: 1.5 } }],
    droppedAttributesCount: 3,
    events: [{ timeUnixNano: nano(1), name: "kept" }, "bad", { timeUnixNano: "never" }],
    links: [{ ...link, attributes: [good, 5] }, {}],
  };
  await post(job, { resourceSpans: [resource("searcher", [spoilt])] });
  const otlp = await (await call(job, `/v1/traces/${traceId}/otlp`)).text();
  const [stored] = JSON.parse(otlp).resourceSpans[0].scopeSpans[0].spans;
  expect(stored).toMatchObject({ droppedAttributesCount: 4, droppedEventsCount: 2, droppedLinksCount: 1 });
  expect([stored.attributes, stored.events.length, stored.links.length]).toEqual([[good], 1, 1]);
  expect(stored.links[0]).toMatchObject({ attributes: [good], droppedAttributesCount: 1 });
});

test.for([
  ["logs", { resourceLogs: [] }, '"resourceLogs"'],
  ["names as proto writes them", { resource_spans: [] }, '"resource_spans"'],
] as const)("a body of %s is no success", async ([, body, named]) => {
  const response = await post(job, body);
  expect([response.status, await response.text()]).toEqual([
    400,
    expect.stringContaining(JSON.stringify(named).slice(1, -1)),
  ]);
});

test("bytes in which no span is are no success, and an empty request is one", async () => {
  const other = new Uint8Array([0x12, 0x02, 0x08, 0x01]);
  expect((await post(job, other, PROTOBUF)).status).toBe(400);
  expect((await post(job, new Uint8Array(), PROTOBUF)).status).toBe(200);
  expect(await (await post(job, {})).text()).toBe("{}");
});

test("of many spans that are refused, the first few reasons and the number are told", async () => {
  const bad = Array.from({ length: 20 }, () => span({ traceId: "none", end: 1 }));
  const response = await post(job, { resourceSpans: [resource("searcher", [...bad, span({ traceId, end: 1 })])] });
  const { partialSuccess } = await response.json<{ partialSuccess: { rejectedSpans: string; errorMessage: string } }>();
  expect(partialSuccess.rejectedSpans).toBe("20");
  expect(partialSuccess.errorMessage).toContain("20 spans were refused, all others were stored: ");
  expect(partialSuccess.errorMessage).toContain("; and 15 more.");
});

test("a sender of protobuf is told in protobuf what was refused", async () => {
  const first = encodeRequest(
    JSON.stringify({ resourceSpans: [resource("a", [span({ traceId, spanId: "00000000000000a1", end: 1 })])] }),
  );
  const second = encodeRequest(
    JSON.stringify({ resourceSpans: [resource("a", [span({ traceId, spanId: "00000000000000a1", end: 2 })])] }),
  );
  await post(job, first, PROTOBUF);
  const response = await post(job, second, PROTOBUF);
  expect(response.status).toBe(200);
  expect(decodeResponse(await response.bytes())).toMatchObject({
    partialSuccess: { rejectedSpans: "1", errorMessage: expect.stringContaining("it has ended already") },
  });
});

test("ids in capitals are the same ids, and JSON's nulls count as nothing", async () => {
  const raw = {
    ...span({ traceId, end: 1 }),
    traceId: traceId.toUpperCase(),
    parentSpanId: null,
    status: null,
    events: null,
  };
  expect(await (await post(job, { resourceSpans: [resource("a", [raw])] })).text()).toBe("{}");
  expect(await traceIds(job)).toEqual([traceId]);
});

const MALFORMED: [string, string | object, string][] = [
  ["no JSON", "{", "not JSON in UTF-8"],
  ["bytes that are no UTF-8", new Uint8Array([0x7b, 0xff, 0x7d]), "not JSON in UTF-8"],
  ["a list", [], "the body must be an object"],
  ["an object of other things", { resourceSpans: 5 }, "resourceSpans must be a list"],
  ["scopes that are none", { resourceSpans: [{ scopeSpans: "x" }] }, "scopeSpans must be a list"],
  ["spans that are none", { resourceSpans: [{ scopeSpans: [{ spans: {} }] }] }, "spans must be a list"],
  ["a resource that is none", { resourceSpans: [{ resource: [] }] }, "resource must be an object"],
  ["a resource of 100 KB", { resourceSpans: [resource("x".repeat(100_000), [{}])] }, "at most 65536 are taken"],
];

test.for(MALFORMED)("a body that is %s is refused with a Status that says why", async ([, body, message]) => {
  const response = await post(job, body);
  expect(response.status).toBe(400);
  expect(response.headers.get("content-type")).toBe("application/json");
  expect(await response.json()).toEqual({ code: 3, message: expect.stringContaining(message) });
});

test.for([
  ["that end too early", new Uint8Array([0x0a, 0x7f, 0x01])],
  ["of an unknown wire type", new Uint8Array([0x0f])],
  ["of JSON", new TextEncoder().encode('{"resourceSpans":[]}')],
  ["that are nested too deep", new Uint8Array(200_000).fill(0x0a)],
] as const)("protobuf bytes %s are refused with a Status in protobuf", async ([, body]) => {
  const response = await post(job, body, PROTOBUF);
  expect(response.status).toBe(400);
  expect(response.headers.get("content-type")).toBe("application/x-protobuf");
  const bytes = await response.bytes();
  expect([...bytes.subarray(0, 3)]).toEqual([0x08, 3, 0x12]);
  expect(new TextDecoder().decode(bytes)).toContain("not an ExportTraceServiceRequest");
});

test.for([
  ["no type", { "content-type": "" }],
  ["text", { "content-type": "text/plain" }],
  ["an unknown packing", { "content-encoding": "br" }],
])("a body with %s is refused with what is accepted", async ([, headers]) => {
  const response = await post(job, "{}", headers as Record<string, string>);
  expect(response.status).toBe(415);
  expect(await response.text()).toContain("Send application/json or application/x-protobuf");
});

test.for([
  ["no token", null],
  ["a forged token", `alpha.${mac("guessed", "job:alpha")}`],
  ["another job's signature", `beta.${tokenOf("alpha").split(".")[1]}`],
])("a sender with %s is refused in its own encoding", async ([, token]) => {
  const headers = { ...PROTOBUF, ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
  const response = await controlPlane.request(
    "http://localhost/v1/traces",
    { method: "POST", body: new Uint8Array(), headers },
    { ...bindings, TROUPE_SECRET: "a secret of the control plane, long enough" },
  );
  expect(response.status).toBe(401);
  expect(response.headers.get("www-authenticate")).toBe("Bearer");
  expect([...(await response.bytes()).subarray(0, 2)]).toEqual([0x08, 16]);
});

test("the token decides the job, whatever the spans say of theirs", async () => {
  const spans = [span({ traceId, end: 1 })];
  await post("alpha", { resourceSpans: [resource("a", spans, { "service.namespace": "beta" })] });
  expect((await call("alpha", `/v1/traces/${traceId}`)).status).toBe(200);
  expect((await call("beta", `/v1/traces/${traceId}`)).status).toBe(404);
  expect((await call("beta", `/v1/traces/${traceId}`, { method: "DELETE" })).status).toBe(404);
  expect((await call("beta", `/v1/traces?before=2200-01-01`, { method: "DELETE" })).status).toBe(200);
  expect(await rows("alpha", traceId)).toHaveLength(1);
});

test("a job that sends a span of another job's trace has a trace of its own", async () => {
  const spans = [span({ traceId, spanId: "00000000000000a1", end: 1 })];
  await post("gamma", { resourceSpans: [resource("a", spans)] });
  await post("delta", { resourceSpans: [resource("b", [{ ...spans[0], endTimeUnixNano: nano(7) }])] });
  expect(await rows("gamma", traceId)).toMatchObject([{ agent: "a", durationUs: 1000 }]);
  expect(await rows("delta", traceId)).toMatchObject([{ agent: "b", durationUs: 7000 }]);
});

test("spans that cannot be stored now are to be sent again", async () => {
  const error = vi.spyOn(console, "error").mockReturnValue();
  vi.spyOn(TestTraces.prototype, "store").mockRejectedValueOnce(new Error("The disk is full."));
  const body = { resourceSpans: [resource("a", [span({ traceId, end: 1 })])] };
  const response = await post(job, body);
  expect(response.status).toBe(503);
  expect(await response.json()).toEqual({ code: 14, message: "The spans could not be stored. Send them again." });
  expect(String(error.mock.lastCall)).toContain("The disk is full.");
  expect((await post(job, body)).status).toBe(200);
});

test("a body of 50 MB is refused when it has passed the limit, and not read on", async () => {
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled += 1;
      controller.enqueue(new Uint8Array(1024 * 1024));
      if (pulled === 50) controller.close();
    },
  });
  const response = await post(job, body);
  expect(response.status).toBe(413);
  expect(await response.json()).toEqual({ code: 8, message: expect.stringContaining("8388608 bytes") });
  expect(pulled).toBeLessThan(12);
});

test("a body that declares too much is refused before any of it is read", async () => {
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(1024));
      },
    },
    { highWaterMark: 0 },
  );
  expect((await post(job, body, { "content-length": "50000000" })).status).toBe(413);
  expect(pulled).toBe(0);
});

test("a small body that unpacks to 50 MB is refused", async () => {
  const bomb = await gzip(new Uint8Array(50 * 1024 * 1024));
  expect(bomb.length).toBeLessThan(100_000);
  expect((await post(job, bomb, { "content-encoding": "gzip" })).status).toBe(413);
});

test.for([
  ["is no gzip", new TextEncoder().encode("{}")],
  ["is cut off", null],
] as const)("a packed body that %s is refused", async ([, bytes]) => {
  const whole = await gzip(new TextEncoder().encode('{"resourceSpans":[]}'));
  const response = await post(job, bytes ?? whole.subarray(0, 20), { "content-encoding": "gzip" });
  expect(response.status).toBe(400);
  expect(await response.text()).toContain("not in gzip format");
});

/** An AnyValue in so many lists. */
function nested(depth: number): object {
  return depth === 0 ? { stringValue: "x" } : { arrayValue: { values: [nested(depth - 1)] } };
}

async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  return new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"))).bytes();
}
