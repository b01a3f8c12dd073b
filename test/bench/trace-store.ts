// The trace store alone: how many spans a second it takes over loopback HTTP, and how long a large trace takes to read. Spans are
// like those of a research question: 12 attributes, a third of them with 1 KB of content. Requests are made before, sent by several
// senders, and each has traces of its own.
import { readFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as z from "zod";
import { mac } from "#shared/a2a/token.ts";
import { toAttributes, unixNano, type OtlpSpan, type ResourceSpans } from "#shared/tracing/otlp.ts";
import { randomHex } from "#shared/tracing/trace-context.ts";
import { cpuMs, residentMb } from "./processes.ts";
import { median } from "./quantile.ts";
import type { Bench } from "./servers.ts";
import { fixed, table } from "./table.ts";

const BATCH = 500;
const BATCHES = 100;
const SPANS_A_TRACE = 40;
const LARGE_TRACE = 10_000;
const PAGE = 5000;
const READS = 5;
const SENDERS = [1, 4];
const CONTENT = "The tide follows the moon, and a spring tide comes when sun and moon pull together. ".repeat(12);

const Page = z.object({ columns: z.object({ seq: z.array(z.number()) }), next: z.number().nullable() });

interface Store {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
}

export async function traceStore(bench: Bench): Promise<void> {
  await bench.deploy("research-assistant", "research-assistant", "coordinator");
  const { pid, url } = await bench.controlPlane();
  const secret = (await readFile(join(bench.home, "control-plane", "secret"), "utf8")).trim();
  const store = { url, pid, token: `bench.${mac(secret, "job:bench")}` };
  const rows: string[][] = [];
  await send(store, 4, bodies(8, "json"), "json");
  for (const encoding of ["json", "protobuf"] as const) {
    for (const senders of SENDERS) {
      const requests = bodies(BATCHES, encoding);
      const before = await cpuMs(store.pid);
      const seconds = await send(store, senders, requests, encoding);
      const cpu = (await cpuMs(store.pid)) - before;
      const spans = BATCH * BATCHES;
      const bytes = requests.reduce((sum, body) => sum + body.length, 0);
      rows.push([
        `${encoding}, batches of ${BATCH}`,
        String(senders),
        fixed(spans / seconds, 0),
        fixed(bytes / spans, 0),
        fixed((cpu / spans) * 1e3, 0),
        fixed(await residentMb(store.pid), 0),
      ]);
    }
  }
  console.log(table(["", "senders", "spans/s", "bytes a span", "CPU µs a span", "RSS MB"], rows));
  console.log("(aim: 5000 spans/s)");
  console.log(
    `\n${LARGE_TRACE} spans of one trace read through the columnar API: ${fixed(await readLarge(store), 0)} ms`,
  );
}

/** Resolves to seconds. Every request must be answered with 200 and nothing refused. */
async function send(
  store: Store,
  senders: number,
  requests: readonly Buffer[],
  encoding: "json" | "protobuf",
): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: senders });
  const queue = requests.values();
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: senders }, async () => {
      for (const body of queue)
        await post(store, agent, body, `application/${encoding === "json" ? "json" : "x-protobuf"}`);
    }),
  );
  agent.destroy();
  return (performance.now() - begun) / 1000;
}

function post({ url, token }: Store, agent: Agent, body: Buffer, type: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, "content-type": type, "content-length": body.length };
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/v1/traces`, { method: "POST", agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode === 200 && text.length <= 2) resolve();
        else reject(new Error(`POST /v1/traces answered ${response.statusCode}: ${text.slice(0, 300)}`));
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** The median time in ms to read a trace whole, page after page. */
async function readLarge(store: Store): Promise<number> {
  const traceId = randomHex(16);
  const spans = Array.from({ length: LARGE_TRACE }, (_, n) => span(traceId, n));
  const requests = Array.from({ length: LARGE_TRACE / BATCH }, (_, n) =>
    encode(spans.slice(n * BATCH, (n + 1) * BATCH), "json"),
  );
  await send(store, 1, requests, "json");
  const times: number[] = [];
  for (let run = 0; run < READS; run++) {
    const begun = performance.now();
    let count = 0;
    for (let after: number | null = 0; after !== null;) {
      const response = await fetch(`${store.url}/v1/traces/${traceId}?limit=${PAGE}&after=${after}`, {
        headers: { authorization: `Bearer ${store.token}` },
      });
      const { columns, next } = Page.parse(await response.json());
      count += columns.seq.length;
      after = next;
    }
    times.push(performance.now() - begun);
    if (count !== LARGE_TRACE) throw new Error(`The trace has ${LARGE_TRACE} spans, ${count} were read.`);
  }
  return median(times);
}

function bodies(count: number, encoding: "json" | "protobuf"): Buffer[] {
  return Array.from({ length: count }, () => {
    let traceId = "";
    const spans = Array.from({ length: BATCH }, (_, n) => {
      if (n % SPANS_A_TRACE === 0) traceId = randomHex(16);
      return span(traceId, n % SPANS_A_TRACE);
    });
    return encode(spans, encoding);
  });
}

let parent = "";

/** The n-th span of a trace. */
function span(traceId: string, n: number): OtlpSpan {
  const spanId = randomHex(8);
  const start = Date.now() + n;
  const above = n === 0 ? {} : { parentSpanId: parent };
  if (n === 0) parent = spanId;
  const isCall = n % 3 === 1;
  return {
    traceId,
    spanId,
    ...above,
    name: n === 0 ? "SendMessage" : isCall ? "chat offline" : "execute_tool web_search",
    kind: n === 0 ? 2 : isCall ? 3 : 1,
    startTimeUnixNano: unixNano(start),
    endTimeUnixNano: unixNano(start + 20),
    attributes: toAttributes({
      ...(n === 0 ? { "troupe.trace.kind": "query", "troupe.a2a.message": "How do tides work?" } : {}),
      "gen_ai.operation.name": isCall ? "chat" : "execute_tool",
      "gen_ai.provider.name": "troupe.offline",
      "gen_ai.request.model": "offline",
      "gen_ai.request.max_tokens": 4096,
      "gen_ai.response.id": `msg_${spanId}`,
      "gen_ai.response.finish_reasons": ["end_turn"],
      "gen_ai.response.time_to_first_chunk": 0.0213,
      "gen_ai.usage.input_tokens": 1200 + n,
      "gen_ai.usage.output_tokens": 230,
      "gen_ai.conversation.id": "0193a1de-7c1e-7f00-8000-5d5a1f0f1b2c",
      "troupe.cost.usd": 0.00123,
      ...(isCall ? { "gen_ai.input.messages": CONTENT } : { "server.address": "127.0.0.1" }),
    }),
    status: { code: n % 10 === 9 ? 2 : 0, message: n % 10 === 9 ? "The tool failed: no such page." : "" },
  };
}

function encode(spans: readonly OtlpSpan[], encoding: "json" | "protobuf"): Buffer {
  const resource = toAttributes({
    "service.name": "searcher",
    "service.namespace": "bench",
    "service.instance.id": "bench",
  });
  const resourceSpans: ResourceSpans[] = [
    { resource: { attributes: resource }, scopeSpans: [{ scope: { name: "troupe" }, spans }] },
  ];
  const json = JSON.stringify({ resourceSpans });
  return encoding === "json" ? Buffer.from(json) : toProtobuf(json);
}

const ProtobufRequest = z.object({
  fromObject: z.custom<(object: unknown) => unknown>((value) => typeof value === "function"),
  encode: z.custom<(message: unknown) => { finish(): Uint8Array }>((value) => typeof value === "function"),
});
const generated: {
  opentelemetry: {
    proto: { collector: { trace: { v1: { ExportTraceServiceRequest: z.infer<typeof ProtobufRequest> } } } };
  };
} = createRequire(import.meta.url)("@opentelemetry/otlp-transformer/build/src/generated/root.js");

function toProtobuf(json: string): Buffer {
  const { ExportTraceServiceRequest } = generated.opentelemetry.proto.collector.trace.v1;
  // Ids are hex in OTLP/JSON, and base64 for the generated code.
  const request: unknown = JSON.parse(json, (key, value: unknown) =>
    /^(trace|span|parentSpan)Id$/.test(key) && typeof value === "string" ? Buffer.from(value, "hex") : value,
  );
  return Buffer.from(ExportTraceServiceRequest.encode(ExportTraceServiceRequest.fromObject(request)).finish());
}
