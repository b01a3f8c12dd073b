import { expect, test } from "vitest";
import { referencesIn } from "#jobs/schema/variables.ts";

test("braces that nobody closes are searched once, not from each of them", () => {
  expect(referencesIn("${".repeat(500_000))).toEqual({ names: [], malformed: [] });
});
