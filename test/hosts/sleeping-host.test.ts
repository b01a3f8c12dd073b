// All processes of a host stand still for a while, as on a laptop that sleeps or a virtual machine that is moved.
import { setTimeout as delay } from "node:timers/promises";

import { afterAll, beforeAll, expect, test } from "vitest";

import { Answer } from "../e2e/shapes.ts";
import { type AskingJob, deployAskingJob, JOB } from "./asking-job.ts";
import { wholeTrace } from "./whole-trace.ts";

const ASLEEP_MS = 30_000;

let job: AskingJob;
beforeAll(async () => {
  job = await deployAskingJob();
});
afterAll(async () => job[Symbol.asyncDispose]());

test.each([
  { name: "h2", whose: "the agent that was asked" },
  { name: "h1", whose: "the agent that asks" },
])("a question is answered once, as soon as the host of $whose has woken up", async ({ name }) => {
  const { network } = job.all;
  const before = job.helped.length;
  const { asked, answer } = await job.ask();
  await network.signal(name, "SIGSTOP");
  answer("seven months");
  // The length of the sleep is what is tried.
  await delay(ASLEEP_MS);
  await network.signal(name, "SIGCONT");
  const woken = Date.now();
  const { code, stdout, stderr } = await asked.outcome;
  console.log(`${name}: answered ${(Date.now() - woken) / 1000} s after it woke up`);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const { answer: text, traceId } = Answer.parse(JSON.parse(stdout));
  expect(text).toContain("I was told: seven months");
  expect(job.helped.length - before).toBe(1);
  await wholeTrace(job.all, JOB, traceId);
});
