import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runTool } from "../../../scripts/check/guard.ts";

const VITEST = new URL("vitest.mjs", import.meta.resolve("vitest/package.json"));
const COUNTED = fileURLToPath(new URL("../../fixtures/counted", import.meta.url));

test("the last line of a run counts passed and failed tests, a file that cannot be loaded among the failed", async () => {
  const { code, stdout } = await runTool(COUNTED, VITEST, ["run"]);
  expect(stdout.endsWith("\n2 passed, 2 failed\n")).toBe(true);
  expect(code).toBe(1);
});
