// Lines of several logs as one.
import { expect, test } from "vitest";

import { mergedLines } from "../../../../scripts/targets/merged-lines.ts";
import type { LogLine } from "../../../../scripts/targets/target.ts";

const line = (second: number): LogLine => ({
  time: `2026-01-01T00:00:0${second}.000Z`,
  level: "info",
  agent: "a",
  message: String(second),
  traceId: null,
  spanId: null,
});
async function* of(...lines: LogLine[]) {
  yield lines;
}
async function* silent(signal: AbortSignal): AsyncGenerator<readonly LogLine[]> {
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  yield [];
}

test("lines that come together are in the order of their times, and a silent log holds up no other", async () => {
  const over = new AbortController();
  const merged = mergedLines([of(line(2), line(3)), silent(over.signal), of(line(1))], over.signal);
  const messages: string[] = [];
  for await (const { message } of merged) if (messages.push(message) === 3) break;
  expect(messages).toEqual(["1", "2", "3"]);
  over.abort();
});
