import { expect, test } from "vitest";
import { sendSpans } from "../../../workers/control-plane/traces/forward/collector.ts";

const COLLECTOR = {
  url: "http://collector.test/v1/traces",
  protocol: "http/protobuf",
  headers: [],
  timeoutMs: 1,
} as const;

test("a collector that is too slow may be so for what it was sent, one that is unreachable not", async () => {
  const silent = {
    fetch: async (_: unknown, init?: RequestInit) =>
      new Promise<Response>((_resolve, reject) => {
        init?.signal?.addEventListener("abort", () => reject(new Error("too slow")));
      }),
  };
  expect(await sendSpans("[]", COLLECTOR, silent)).toMatchObject({ result: "failed", retryable: false });
  const absent = { fetch: async () => Promise.reject(new Error("connection refused")) };
  const patient = { ...COLLECTOR, timeoutMs: 60_000 };
  expect(await sendSpans("[]", patient, absent)).toMatchObject({ result: "failed", retryable: true });
});

test.for([
  [429, true],
  [502, true],
  [503, true],
  [504, false],
  [500, false],
  [401, false],
] as const)("whether an answer %d says nothing about the request: %s", async ([status, retryable]) => {
  const network = { fetch: async () => Promise.resolve(new Response("", { status })) };
  expect(await sendSpans("[]", { ...COLLECTOR, timeoutMs: 60_000 }, network)).toMatchObject({
    result: "failed",
    retryable,
  });
});

test("what cannot be encoded is refused before it is sent", async () => {
  const network = { fetch: async () => Promise.reject(new Error("sent")) };
  expect(await sendSpans("[{}]", COLLECTOR, network)).toMatchObject({ result: "refused" });
});
