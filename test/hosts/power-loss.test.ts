// A host loses its power in the middle of a question, and boots again: nobody of the others is told.
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
  { name: "h2", whose: "the agent that was asked" },
  { name: "h1", whose: "the agent that asks, and the control plane" },
])("a question is answered once after the host of $whose has lost its power and booted", async ({ name }) => {
  const { asked, answer } = await job.ask();
  await job.all.losePower(name);
  answer("seven months");
  await job.all.boot(name);
  const booted = Date.now();
  const { code, stdout, stderr } = await asked.outcome;
  console.log(`${name}: answered ${(Date.now() - booted) / 1000} s after boot.sh`);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const { answer: text, traceId } = Answer.parse(JSON.parse(stdout));
  expect(text).toContain("I was told: seven months");
  const spans = await wholeTrace(job.all, JOB, traceId);
  const tasks = spans.filter(({ agent, name: of }) => agent === "helper" && of.startsWith("invoke_agent"));
  expect(new Set(tasks.map((span) => span.get("a2a.task.id"))).size).toBe(1);
});
