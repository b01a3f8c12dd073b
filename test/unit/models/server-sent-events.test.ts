// What is read of a stream, and what is not: the same as the API's own client reads, however the bytes arrive.
import { Stream } from "@anthropic-ai/sdk/core/streaming";
import { describe, expect, it } from "vitest";
import { EventReader, type ServerSentEvent } from "#shared/models/server-sent-events.ts";

const encoder = new TextEncoder();
const x = (data: string, name = "") => ({ name, data });

/** Pieces of `size` bytes. */
const cut = (bytes: Uint8Array, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, (n + 1) * size));

function read(chunks: readonly Uint8Array[]): ServerSentEvent[] {
  const reader = new EventReader();
  return [...chunks.flatMap((chunk) => reader.push(chunk)), ...reader.end()];
}

/** As the API's own client reads them. What has no data is no event to either. */
async function readByClient(chunks: readonly Uint8Array[]): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  for await (const { event, data } of Stream.rawEvents(new Response(body)))
    if (data !== "") events.push({ name: event ?? "", data });
  return events;
}

const STREAMS: [string, string | Uint8Array, ServerSentEvent[]][] = [
  ["a name and data", "event: a\ndata: 1\n\n", [x("1", "a")]],
  ["data without a name", "data: 1\n\n", [x("1")]],
  ["a name after its data", "data: 1\nevent: a\n\n", [x("1", "a")]],
  ["two names: the second counts", "event: a\nevent: b\ndata: 1\n\n", [x("1", "b")]],
  ["a name that counts for one event only", "event: a\ndata: 1\n\ndata: 2\n\n", [x("1", "a"), x("2")]],
  ["a name without data, which is no event", "event: a\n\ndata: 1\n\n", [x("1")]],
  ["data that is empty, which is no event", "data:\n\ndata: \n\ndata\n\nevent: a\ndata\n\n", []],
  ["data over several lines", "data: 1\ndata: 2\ndata:3\n\n", [x("1\n2\n3")]],
  ["empty lines of data", "data\ndata:\ndata: 1\ndata\n\n", [x("\n\n1\n")]],
  ["values without a space, and with two", "event:a\ndata:  1 \n\n", [x(" 1 ", "a")]],
  ["values with colons", "event: a:b\ndata: a: b\n\n", [x("a: b", "a:b")]],
  ["comments", ": hi\n:\n\n:x\ndata: 1\n: 2\n\n", [x("1")]],
  ["other fields", "id: 1\nretry: 5\nid\nfoo: data: 2\ndata: 1\n\n", [x("1")]],
  ["fields that only begin like one", "datax: 2\nevents: b\ndat: 3\neven\nDATA: 4\n data: 5\ndata: 1\n\n", [x("1")]],
  ["a field without a colon, which is empty", "event: a\nevent\ndata: 1\n\n", [x("1")]],
  ["many empty lines", "\n\n\ndata: 1\n\n\n\n\ndata: 2\n\n", [x("1"), x("2")]],
  ["lines that end as on Windows", "event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n", [x("1", "a"), x("2")]],
  ["lines that end as on old Macs", "event: a\rdata: 1\r\rdata: 2\r\r", [x("1", "a"), x("2")]],
  [
    "lines that end in all ways",
    "data: 1\r\n\ndata: 2\n\rdata: 3\r\r\ndata: 4\n\r\n",
    [x("1"), x("2"), x("3"), x("4")],
  ],
  ["the end of a line twice, and no other line", "data: 1\r\ndata: 2\n\n", [x("1\n2")]],
  ["an event without an end, which is none", "data: 1\n\ndata: 2\n", [x("1")]],
  ["a line without an end", "data: 1\n\ndata: 2", [x("1")]],
  ["a last empty line that ends in a return alone", "data: 1\n\r", [x("1")]],
  ["a byte order mark", "\uFEFFdata: 1\n\n", [x("1")]],
  ["byte order marks before lines", "data: 1\n\uFEFF\n\uFEFFdata: 2\n\n\uFEFF\uFEFFdata: 3\n\n", [x("1"), x("2")]],
  ["a byte order mark in data", "data: \uFEFF1\n\n", [x("\uFEFF1")]],
  ["a last empty line that is a byte order mark", "data: 1\n\uFEFF", [x("1")]],
  ["characters of one to four bytes", "event: é\ndata: a é 字 😀\u2028\u0085\n\n", [x("a é 字 😀\u2028\u0085", "é")]],
  ["a null character", "data: a\u0000b\n\n", [x("a\u0000b")]],
  [
    "half characters",
    Uint8Array.of(...encoder.encode("data: "), 0xf0, 0x9f, 10, ...encoder.encode("data: "), 0xe5, 13, 13, 0xe5),
    [x("\uFFFD\n\uFFFD")],
  ],
  [
    "bytes that are no characters",
    Uint8Array.of(...encoder.encode("data: "), 0xff, 0xc0, 0x80, 10, 10),
    [x("\uFFFD\uFFFD\uFFFD")],
  ],
  ["nothing", "", []],
];

describe("a stream", () => {
  it.each(STREAMS)("with %s", async (_, stream, expected) => {
    const bytes = typeof stream === "string" ? encoder.encode(stream) : stream;
    for (let size = 1; size <= Math.max(1, bytes.length); size++) {
      expect(read(cut(bytes, size))).toEqual(expected);
      expect(await readByClient(cut(bytes, size))).toEqual(expected);
    }
  });

  it("of any lines is read as the client reads it", async () => {
    const parts = [
      "data: a",
      "data:b",
      "data",
      "event: e",
      "event",
      ": c",
      "id: 1",
      "\uFEFF",
      "😀",
      "字",
      " ",
      ":",
      "\n",
      "\r",
      "\r\n",
      "\n\n",
    ];
    let seed = 1;
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let n = 0; n < 2_000; n++) {
      const words = Array.from({ length: 1 + random(24) }, () => parts[random(parts.length)] ?? "");
      const chunks = cut(encoder.encode(words.join("")), 1 + random(9));
      expect([words, read(chunks)]).toEqual([words, await readByClient(chunks)]);
    }
  });

  it("in single bytes takes time in proportion to its length", () => {
    const reader = new EventReader();
    reader.push(encoder.encode("data: "));
    const one = encoder.encode("x");
    for (let n = 0; n < 4_000_000; n++) reader.push(one);
    expect(reader.push(encoder.encode("\n\n"))).toEqual([x("x".repeat(4_000_000))]);
  });

  it("is given up once a line has more than 8 MiB", () => {
    const reader = new EventReader();
    const line = encoder.encode(`data: ${"x".repeat(8 * 1024 * 1024 - 6)}`);
    for (const end of ["\n", "\r\n"]) {
      for (const chunk of cut(line, 100_000)) reader.push(chunk);
      expect(reader.push(encoder.encode(end + end))).toHaveLength(1);
    }
    for (const chunk of cut(line, 100_000)) reader.push(chunk);
    expect(() => reader.push(encoder.encode("x"))).toThrow("The model sent a line without an end");
  });
});
