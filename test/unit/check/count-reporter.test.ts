import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { run } from "../../../scripts/check/guards.ts";

const VITEST = fileURLToPath(new URL("vitest.mjs", import.meta.resolve("vitest/package.json")));
const COUNTED = fileURLToPath(new URL("../../fixtures/counted", import.meta.url));

test("the last line of a run counts passed and failed tests, a file that cannot be loaded among the failed", async () => {
  const { code, output } = await run([VITEST, "run"], COUNTED);
  expect(output.endsWith("\n2 passed, 2 failed\n")).toBe(true);
  expect(code).toBe(1);
});
