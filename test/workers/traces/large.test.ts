import { expect, test } from "vitest";
import { randomHex } from "#shared/tracing/trace-context.ts";
import type { TracePage } from "#shared/control-plane/traces.ts";
import { call, post, resource } from "./spans.ts";

const SPANS = 100_000;
const BATCH = 5000;

test(
  "a trace of 100,000 spans is taken in batches, summed up and read back page by page",
  { timeout: 120_000 },
  async () => {
    const traceId = randomHex(16);
    for (let sent = 0; sent < SPANS; sent += BATCH) {
      const spans = Array.from({ length: BATCH }, (_, n) => child(traceId, sent + n));
      const response = await post("large", { resourceSpans: [resource("searcher", spans)] });
      expect(await response.text()).toBe("{}");
    }
    const ids = new Set<string>();
    let after: number | null = 0;
    let pages = 0;
    let summary: TracePage["trace"] | undefined;
    for (; after !== null; pages++) {
      const page: TracePage = await (await call("large", `/v1/traces/${traceId}?limit=10000&after=${after}`)).json();
      for (const id of page.columns.spanId) ids.add(id);
      summary = page.trace;
      after = page.next;
    }
    expect(pages).toBe(10);
    expect(ids.size).toBe(SPANS);
    expect(summary).toMatchObject({
      spans: SPANS,
      errors: SPANS / 100,
      openSpans: 0,
      modelCalls: SPANS,
      inputTokens: SPANS,
    });
    expect((await call("large", `/v1/traces/${traceId}`, { method: "DELETE" })).status).toBe(204);
  },
);

/** Span n hangs under span n / 10, as in a tree; the first is the root. */
function child(traceId: string, n: number) {
  const id = (n: number) => (n + 1).toString(16).padStart(16, "0");
  const start = BigInt(Date.now()) * 1_000_000n;
  return {
    traceId,
    spanId: id(n),
    ...(n === 0 ? {} : { parentSpanId: id(Math.floor(n / 10)) }),
    name: "chat offline",
    kind: 3,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + 1000n),
    attributes: [
      { key: "gen_ai.operation.name", value: { stringValue: "chat" } },
      { key: "gen_ai.usage.input_tokens", value: { intValue: "1" } },
    ],
    status: { code: n % 100 === 7 ? 2 : 0, message: "" },
  };
}
