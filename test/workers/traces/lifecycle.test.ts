import { env } from "cloudflare:workers";
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeEach, expect, test, vi } from "vitest";
import { scalarOf, type OtlpSpan } from "#shared/tracing/otlp.ts";
import { formatTraceparent, randomContext, randomHex } from "#shared/tracing/trace-context.ts";
import type { Registration } from "#shared/control-plane/registry.ts";
import type { Registry } from "../../../workers/control-plane/registry/registry.ts";
import { allShards, closeOpenSpans } from "../../../workers/control-plane/traces/shards.ts";
import { ListQuery } from "#shared/control-plane/traces.ts";
import { TestTraces } from "./test-traces.ts";
import { job, ownJob, traceId } from "./own-job.ts";
import { call, post, resource, rows, shardWith, span, START, store, summary } from "./spans.ts";

const INTERVAL = 1000;
const LEASE = 3 * INTERVAL;

ownJob();
let registry: DurableObjectStub<Registry>;
beforeEach(() => {
  registry = env.REGISTRY.getByName(job);
});

test("open spans of a lost agent are ended provisionally, as errors, in all its traces", async () => {
  const others = ["0", "1", "2", "3"].map((digit) => `${randomHex(14)}000${digit}`);
  for (const id of others)
    await store(job, [span({ traceId: id, spanId: "00000000000000a1" }), span({ traceId: id, end: 4 })]);
  await store(job, [span({ traceId: others[0] ?? "" })], "summarizer");
  vi.setSystemTime(START + 60_000);
  const lost = { agent: "searcher", at: START + 5000, reason: "nothing was heard." };
  expect(await closeOpenSpans(env, job, lost)).toBe(4);
  for (const id of others) {
    const [closed] = (await rows(job, id)).filter(({ spanId }) => spanId === "00000000000000a1");
    expect(closed).toMatchObject({
      durationUs: 5_000_000,
      status: 2,
      message: "The agent searcher was lost: nothing was heard.",
      provisional: 1,
    });
  }
  expect(await summary(job, others[0] ?? "")).toMatchObject({ openSpans: 1, errors: 1, spans: 3 });
  expect(await otlpOf(others[1] ?? "", "00000000000000a1")).toMatchObject({
    endTimeUnixNano: `${START + 5000}000000`,
    attributes: [
      { key: "error.type", value: { stringValue: "agent_lost" } },
      { key: "troupe.span.provisional", value: { boolValue: true } },
    ],
  });
  expect(await closeOpenSpans(env, job, lost)).toBe(0);
});

test("a provisional end is never before the span began, nor before what else the agent is known to have done", async () => {
  await store(job, [span({ traceId, name: "old" })]);
  vi.setSystemTime(START + 9000);
  await store(job, [
    { ...span({ traceId, name: "ahead" }), startTimeUnixNano: `${START + 20_000}000005` },
    span({ traceId, name: "new" }),
  ]);
  await closeOpenSpans(env, job, { agent: "searcher", at: START - 50, reason: "x" });
  expect((await rows(job, traceId)).map(({ name, durationUs }) => [name, durationUs])).toEqual(
    expect.arrayContaining([
      ["old", 20_000_000],
      ["ahead", 0],
      ["new", 20_000_000],
    ]),
  );
});

test("spans that wait to be stored when their agent is lost are closed, too", async () => {
  await store(job, [span({ traceId, end: 1 })], "coordinator");
  const shard = shardWith(job, traceId);
  const waiting = store(job, [span({ traceId, name: "waits" })], "searcher");
  const closing = shard.closeOpen({ agent: "searcher", at: START, reason: "x" });
  expect([await closing, (await waiting).count]).toEqual([1, 0]);
  expect(await summary(job, traceId)).toMatchObject({ openSpans: 0, errors: 1 });
});

test("an agent's own end wins over the one that it was given", async () => {
  const own = { traceId, spanId: randomHex(8), attributes: { "troupe.trace.kind": "query" } };
  await store(job, [span(own)]);
  await closeOpenSpans(env, job, { agent: "searcher", at: START, reason: "x" });
  expect(await summary(job, traceId)).toMatchObject({ status: "error", errors: 1 });
  expect((await store(job, [span({ ...own, end: 70 })])).count).toBe(0);
  expect(await summary(job, traceId)).toMatchObject({ status: "ok", errors: 0, durationMs: 70 });
});

test("a thousand and more open spans are closed at once", async () => {
  await store(
    job,
    Array.from({ length: 2500 }, () => span({ traceId })),
  );
  expect(await closeOpenSpans(env, job, { agent: "searcher", at: START, reason: "x" })).toBe(2500);
  expect(await summary(job, traceId)).toMatchObject({ openSpans: 0, errors: 2500 });
});

test("open spans that share a large resource are closed, however many they are", async () => {
  const open = Array.from({ length: 200 }, () => span({ traceId }));
  const large = resource("searcher", open, { text: "x".repeat(60_000) });
  expect((await post(job, { resourceSpans: [large] })).status).toBe(200);
  expect(await closeOpenSpans(env, job, { agent: "searcher", at: START, reason: "x" })).toBe(200);
});

test("when an agent's lease ends, its open spans end with its last heartbeat", async () => {
  await registry.register(agent());
  vi.setSystemTime(START + 400);
  await registry.heartbeat("searcher");
  vi.setSystemTime(START + 100);
  await store(job, [span({ traceId })]);
  vi.setSystemTime(START + 2 * LEASE);
  await runDurableObjectAlarm(registry);
  await vi.waitFor(async () => expect((await rows(job, traceId))[0]).toMatchObject({ durationUs: 400_000 }));
  const [closed] = await rows(job, traceId);
  expect(closed?.message).toBe(
    "The agent searcher was lost: nothing was heard since 2100-01-01T00:00:00.400Z, and its /health does not answer.",
  );
});

test("an agent that answers its probe keeps its spans open", async () => {
  await registry.register(agent({ url: "http://up.agent.test" }));
  await store(job, [span({ traceId })]);
  vi.setSystemTime(START + LEASE);
  await runDurableObjectAlarm(registry);
  await reported("registered", "suspect");
  expect(await rows(job, traceId)).toMatchObject([{ durationUs: -1 }]);
});

test("an agent that registers with another instance leaves no span of its last one open", async () => {
  await registry.register(agent({ instance: "one" }));
  await store(job, [span({ traceId, name: "of one" })], "searcher", "one");
  await store(job, [span({ traceId, name: "of two" })], "searcher", "two");
  await store(job, [span({ traceId, name: "of another" })], "summarizer", "one");
  vi.setSystemTime(START + 500);
  await registry.register(agent({ instance: "two" }));
  await vi.waitFor(async () =>
    expect(await rows(job, traceId)).toContainEqual(expect.objectContaining({ name: "of one", durationUs: 0 })),
  );
  expect(await rows(job, traceId)).toMatchObject([
    { name: "of two", durationUs: -1 },
    { name: "of another", durationUs: -1 },
    { name: "of one", status: 2, message: "The agent searcher was lost: it was restarted." },
  ]);
});

test("what a former life left open is closed too when it comes after the new one has registered", async () => {
  await registry.register(agent({ instance: "one" }));
  await registry.register(agent({ instance: "two" }));
  await store(job, [span({ traceId })], "searcher", "one");
  await registry.register(agent({ instance: "two" }));
  await vi.waitFor(async () => expect(await rows(job, traceId)).toMatchObject([{ provisional: 1, status: 2 }]));
});

test("an agent that tells of an interrupted turn ends all that it had begun in the trace until then, and nothing else", async () => {
  const begun = (name: string, start: number) => span({ traceId, spanId: randomHex(8), name, start });
  await store(job, [begun("before", 1), begun("after", 90), begun("chat", 2)]);
  await store(job, [begun("another's", 1)], "summarizer");
  const interrupted = { "error.type": "interrupted" };
  await store(job, [{ ...span({ traceId, name: "turn", end: 50, attributes: interrupted }), status: { code: 2 } }]);
  const open = (await rows(job, traceId)).filter(({ durationUs }) => durationUs === -1).map(({ name }) => name);
  expect(new Set(open)).toEqual(new Set(["after", "another's"]));
});

test("an agent that registers again as the same instance keeps its spans open", async () => {
  await registry.register(agent({ instance: "one" }));
  await store(job, [span({ traceId })], "searcher", "one");
  await registry.register(agent({ instance: "one", description: "now better" }));
  await reported("registered", "registered");
  expect(await rows(job, traceId)).toMatchObject([{ durationUs: -1 }]);
});

test("each step of an agent's life is a trace of its own that links to the registration", async () => {
  await registry.register(agent());
  await reported("registered");
  vi.setSystemTime(START + LEASE);
  await evictDurableObject(registry);
  await runDurableObjectAlarm(registry);
  vi.setSystemTime(START + 20 * LEASE);
  await runDurableObjectAlarm(registry);
  await reported("registered", "suspect", "dead", "removed");
  const [registered, ...later] = await lifecycleSpans();
  expect(registered).toMatchObject({ name: "agent registered searcher", kind: 1 });
  expect(registered?.links).toBeUndefined();
  for (const span of later) {
    expect(span.links).toMatchObject([{ traceId: registered?.traceId, spanId: registered?.spanId }]);
    expect(span.traceId).not.toBe(registered?.traceId);
  }
  expect(later.map(({ status }) => status?.code)).toEqual([undefined, 2, undefined]);
  const { traces } = await list("lifecycle");
  expect(traces[0]).toMatchObject({
    kind: "lifecycle",
    name: "agent removed searcher",
    agent: "troupe",
    spans: 1,
    status: "ok",
  });
});

test("an agent that is taken out of the registry is reported, and its open spans are closed", async () => {
  await registry.register(agent());
  await store(job, [span({ traceId })]);
  await registry.remove("searcher");
  await reported("registered", "removed");
  await vi.waitFor(async () => expect(await rows(job, traceId)).toMatchObject([{ provisional: 1 }]));
});

test("a registration during a deployment is part of the deployment's trace", async () => {
  const deployment = randomContext();
  const response = await call(job, "/agents/register", {
    method: "POST",
    body: JSON.stringify(agent({ instance: "one" })),
    headers: { "content-type": "application/json", traceparent: formatTraceparent(deployment) },
  });
  expect(response.status).toBe(201);
  await vi.waitFor(async () => expect(await rows(job, deployment.traceId)).toHaveLength(1));
  expect(await rows(job, deployment.traceId)).toMatchObject([
    { name: "agent registered searcher", parentId: deployment.spanId },
  ]);
  expect((await list("lifecycle")).traces).toEqual([]);
});

test("a registration that is only repeated, and heartbeats, make no spans", async () => {
  await registry.register(agent({ instance: "one" }));
  expect(await registry.register(agent({ instance: "one" }))).toMatchObject({ state: "alive" });
  await registry.heartbeat("searcher");
  await registry.remove("searcher");
  await reported("registered", "removed");
});

test.for(["", "x".repeat(65), 5])("an instance that is no short text is refused: %j", async (instance) => {
  const response = await call(job, "/agents/register", {
    method: "POST",
    body: JSON.stringify({ ...agent(), instance }),
    headers: { "content-type": "application/json" },
  });
  expect(response.status).toBe(400);
  expect(await response.text()).toContain("instance");
});

test("a registry whose spans cannot be stored works as ever", async () => {
  const error = vi.spyOn(console, "error").mockReturnValue();
  vi.spyOn(TestTraces.prototype, "store").mockResolvedValue({ count: 1, reasons: ["The disk is full"] });
  expect(await registry.register(agent())).toMatchObject({ state: "alive" });
  vi.setSystemTime(START + LEASE);
  await runDurableObjectAlarm(registry);
  expect(await registry.list()).toMatchObject([{ id: "searcher", state: "dead" }]);
  await vi.waitFor(() => expect(error.mock.calls.join("\n")).toContain("The disk is full"));
});

test("agents that registered before there were traces are still known", async () => {
  await registry.register(agent());
  await runInDurableObject(registry, (_, { storage }) => {
    storage.sql.exec("ALTER TABLE agents DROP COLUMN instance");
    storage.sql.exec("ALTER TABLE agents DROP COLUMN registration");
    storage.sql.exec("DROP VIEW schema_version");
    storage.sql.exec("CREATE VIEW schema_version AS SELECT 1 AS version");
  });
  await evictDurableObject(registry);
  expect(await registry.heartbeat("searcher")).toMatchObject({ found: true });
  vi.setSystemTime(START + 2 * LEASE);
  await runDurableObjectAlarm(registry);
  expect(await registry.list()).toMatchObject([{ state: "dead" }]);
});

function agent(changes: Partial<Registration> = {}): Registration {
  return {
    id: "searcher",
    name: "Searcher",
    description: "does things",
    version: "1.0.0",
    url: "http://down.agent.test",
    skills: [],
    intervalMs: INTERVAL,
    ...changes,
  };
}

/** Waits until the registry has reported this, oldest first, and no more. */
async function reported(...events: string[]): Promise<void> {
  await vi.waitFor(async () => {
    const spans = await lifecycleSpans();
    expect(spans.map(({ attributes }) => scalarOf(attributes, "troupe.agent.lifecycle"))).toEqual(events);
  });
}

async function lifecycleSpans(): Promise<OtlpSpan[]> {
  const order = ["registered", "suspect", "dead", "removed"];
  const { traces } = await list("lifecycle");
  const spans = await Promise.all(traces.map(async ({ traceId }) => otlpOf(traceId)));
  const rank = ({ name }: OtlpSpan) => order.findIndex((event) => name.includes(event));
  return spans.toSorted((a, b) => rank(a) - rank(b));
}

async function list(kind: "lifecycle") {
  const lists = await Promise.all(allShards(env, job).map((shard) => shard.list(ListQuery.parse({ kind }))));
  return { traces: lists.flat().toSorted((a, b) => b.startUs - a.startUs || (b.name < a.name ? -1 : 1)) };
}

async function otlpOf(traceId: string, spanId?: string): Promise<OtlpSpan> {
  const text = await shardWith(job, traceId).otlp(traceId, { after: 0, limit: 100 });
  const page: { resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[] } = JSON.parse(text ?? "");
  const spans = page.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
  const found = spans.find((span) => spanId === undefined || span.spanId === spanId);
  if (!found) throw new Error(`There is no span ${spanId}.`);
  return found;
}
