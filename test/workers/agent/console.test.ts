// Lines that an agent's own code writes: whose they are, and in which trace.
import { expect, test } from "vitest";
import { tagConsole, withLogsOf } from "#shared/agent/log.ts";

const span = { traceId: "a".repeat(32), spanId: "b".repeat(16) };

test("a line names its agent, and within a turn its trace, also after a wait", async () => {
  const lines: string[] = [];
  const write = (...said: unknown[]) =>
    void lines.push(said.map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join(" "));
  const target = { debug: write, log: write, info: write, warn: write, error: write };
  tagConsole(target, "tester");
  target.log("before");
  await withLogsOf(span, async () => {
    target.warn("within", 1);
    await Promise.resolve();
    target.error({ after: "a wait" });
  });
  target.info("[tester] has its tag");
  const ids = `trace=${span.traceId} span=${span.spanId}`;
  expect(lines).toEqual([
    "[tester] before",
    `[tester] within 1 ${ids}`,
    `[tester] {"after":"a wait"} ${ids}`,
    "[tester] has its tag",
  ]);
});
