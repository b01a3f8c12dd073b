// What is said of a connection that was lost.
import { expect, test } from "vitest";

import { lost } from "../../../../../scripts/targets/hosts/ssh/explain.ts";

const MARK = "troupe-7b5d88468b364abdaa722b1c";
const H1 = { id: "h1", destination: "h1" };

test.each([
  ["nothing but its own marks", `\n${MARK}\n\n${MARK} 0\n`, "The connection to h1 was lost."],
  [
    "why, behind its marks",
    `\n${MARK}\n\n${MARK} 0\nclient_loop: send disconnect: Broken pipe\n`,
    "The connection to h1 was lost (client_loop: send disconnect: Broken pipe).",
  ],
])("a lost connection that has said %s is told in words of ssh alone", (_, stderr, message) => {
  expect(lost(H1, stderr).message).toBe(message);
});
