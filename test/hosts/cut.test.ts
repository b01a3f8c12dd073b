// The network between an agent and the one that it has asked is cut while that one works.
import { setTimeout as delay } from "node:timers/promises";

import { afterAll, beforeAll, expect, test } from "vitest";

import { Answer } from "../e2e/shapes.ts";
import { type AskingJob, deployAskingJob, JOB } from "./asking-job.ts";
import { wholeTrace } from "./whole-trace.ts";

let job: AskingJob;
beforeAll(async () => {
  job = await deployAskingJob();
});
afterAll(async () => job[Symbol.asyncDispose]());

test.each([
  { seconds: 5, answered: "before it heals" },
  { seconds: 5, answered: "after it has healed" },
  { seconds: 60, answered: "before it heals" },
  { seconds: 60, answered: "after it has healed" },
])(
  "a cut of $seconds s between asker and helper, which answers $answered, costs nothing but time: one task, one answer, a whole trace",
  async ({ seconds, answered }) => {
    const { network } = job.all;
    const before = job.helped.length;
    const { asked, answer } = await job.ask();
    await network.part("h1", "h2");
    if (answered === "before it heals") answer("seven months");
    // The length of the cut is what is tried.
    await delay(seconds * 1000);
    await network.heal("h1", "h2");
    const healed = Date.now();
    answer("seven months");
    const { code, stdout, stderr } = await asked.outcome;
    console.log(`${seconds} s, ${answered}: answered ${(Date.now() - healed) / 1000} s after healing`);
    expect(stderr).not.toContain("unreachable");
    expect(code).toBe(0);
    const { answer: text, traceId } = Answer.parse(JSON.parse(stdout));
    expect(text).toContain("I was told: seven months");
    expect(job.helped.length - before).toBe(1);
    const spans = await wholeTrace(job.all, JOB, traceId);
    const turns = spans.filter(({ agent, name }) => agent === "helper" && name.startsWith("invoke_agent"));
    expect(turns).toHaveLength(1);
  },
);
