import { expect, test } from "vitest";

import { WranglerOutput } from "../../../../scripts/dev/wrangler-output.ts";

function read(...lines: readonly string[]) {
  const output = new WranglerOutput();
  return { read: lines.flatMap((line) => output.read(line) ?? []), reason: output.reason };
}

test("the lists of bindings before the start are not read", () => {
  const { read: lines } = read("env.AGENT ({…})  Environment Variable", "⎔ Starting local server...", "", "Ready");
  expect(lines).toEqual(["⎔ Starting local server...", "Ready"]);
});

test("what the Workers log, requests and reloads are read; healthy agents are not", () => {
  const said = ["[coordinator] hello", "GET /agents/a/health 503 Busy (2ms)", "⎔ Reloading local server..."];
  const { read: lines } = read("Starting local server", "GET /agents/a/health 200 OK (2ms)", ...said);
  expect(lines.slice(1)).toEqual(said);
});

test("colours are taken away", () => {
  expect(read("Starting local server", "\u001b[33mcareful\u001b[0m").read[1]).toBe("careful");
});

test("the reason of an end is what wrangler calls an error, also before its start", () => {
  const { reason } = read(
    "Using secrets",
    "\u001b[31m✘ \u001b[41m[ERROR]\u001b[0m The port is taken.",
    "",
    "🪵  Logs were written",
  );
  expect(reason).toBe("The port is taken.");
});
