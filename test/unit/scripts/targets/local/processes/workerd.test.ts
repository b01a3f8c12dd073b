// The engine among the dependencies: there, or said to be missing with what to do.
import { existsSync } from "node:fs";

import { expect, test } from "vitest";

import { CliError } from "../../../../../../scripts/terminal/cli-error.ts";
import { workerdBinary } from "../../../../../../scripts/targets/local/processes/workerd.ts";

test("workerd is found where npm has put it", () => {
  expect(existsSync(workerdBinary())).toBe(true);
});

test.each([
  [
    "its package is not installed",
    (): unknown => {
      throw new Error("Cannot find module 'workerd'\nRequire stack:");
    },
    /missing: Cannot find module 'workerd'$/,
  ],
  ["its binary is not there", () => ({ default: "/nowhere/workerd" }), /missing: there is no file \/nowhere\/workerd$/],
])("workerd is said to be missing when %s, with what to type", (_, load, message) => {
  const missing = expect.objectContaining({
    code: "failed",
    message: expect.stringMatching(message),
    next: "Run: npm install",
  });
  expect(() => workerdBinary(load)).toThrow(CliError);
  expect(() => workerdBinary(load)).toThrow(missing);
});
