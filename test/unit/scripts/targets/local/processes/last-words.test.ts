// Which lines of a log are told of a process that ended: its own, the reason first.
import { expect, test } from "vitest";

import { lastWords } from "../../../../../../scripts/targets/local/processes/last-words.ts";

const START = '{"timestamp":1,"level":"info","message":"supervisor: workerd starts"}';
const line = (level: string, message: string): string => JSON.stringify({ timestamp: "1", level, message });

test.each<[string, string[], string[]]>([
  ["nothing where nothing was said", [START], []],
  [
    "none of an earlier process",
    [line("error", "a failed task"), START, line("error", "service a: Uncaught Error: no\n  at w.js:1")],
    ["service a: Uncaught Error: no"],
  ],
  ["all of them where the log was begun anew since it started", [line("error", "odd")], ["odd"]],
  [
    "the last error before those of its life, and errors before the rest",
    [START, line("info", "hello"), line("error", "a failed task"), line("error", "bind(): Address already in use")],
    ["bind(): Address already in use", "a failed task", "hello"],
  ],
  [
    "how it died before all else, and no banner",
    [
      START,
      line("error", "a failed task"),
      "*** Uncaught exception ***",
      "kj: failed: accept(): Too many open files",
      "stack: 1 2",
    ],
    ["kj: failed: accept(): Too many open files", "a failed task"],
  ],
  [
    "the line below a banner that is part of the message",
    [START, line("error", "*** Uncaught exception ***\naccept(): Too many open files\nstack: 1 2")],
    ["accept(): Too many open files"],
  ],
  ["each once, five at most", [START, ..."aabcdefg".split("").map((x) => line("error", x))], ["g", "f", "e", "d", "c"]],
  [
    "neither the supervisor's words nor the engine's",
    [START, line("error", "supervisor: x"), line("error", "NOSENTRY x")],
    [],
  ],
])("of what a log says are told: %s", (_, log, told) => {
  expect(lastWords(log.join("\n"))).toEqual(told);
});
