// A job's logs while they are shortened: nothing is lost, nothing comes twice.
import { appendFile, copyFile, mkdir, mkdtemp, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { JOB_PROCESS, jobLayout } from "../../../../../scripts/targets/local/state/layout.ts";
import { readLogs } from "../../../../../scripts/targets/local/logs.ts";

const REQUEST = { job: "x", agent: undefined, trace: undefined, lines: 10 };

let home: string;
let log: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "troupe-logs-"));
  ({ log } = jobLayout(home, "x").process(JOB_PROCESS));
  await mkdir(dirname(log), { recursive: true });
});
afterEach(async () => rm(home, { recursive: true }));

async function say(...messages: string[]): Promise<void> {
  const lines = messages.map((message) => `${JSON.stringify({ timestamp: "1", level: "info", message })}\n`);
  await appendFile(log, lines.join(""));
}

/** As the supervisor does it. */
async function shorten(): Promise<void> {
  await copyFile(log, `${log}.1`);
  await truncate(log);
}

test("the last lines are found in the older log where the new one has too few", async () => {
  await say("one", "two");
  await shorten();
  await say("three");
  const messages: string[] = [];
  const { signal } = new AbortController();
  for await (const { message } of readLogs(home, { ...REQUEST, follow: false }, signal)) messages.push(message);
  expect(messages).toEqual(["one", "two", "three"]);
});

test("who follows a log reads on over its shortening: no line is left out, none comes again", async () => {
  await say("one");
  const stopped = new AbortController();
  const lines = readLogs(home, { ...REQUEST, follow: true }, stopped.signal);
  const next = async () => {
    const { value, done } = await lines.next();
    return done === true ? undefined : value.message;
  };
  expect(await next()).toBe("one");
  await say("two");
  await shorten();
  await say("3");
  expect([await next(), await next()]).toEqual(["two", "3"]);
  await say("four");
  expect(await next()).toBe("four");
  stopped.abort();
  await expect(lines.next()).rejects.toThrow("aborted");
});
