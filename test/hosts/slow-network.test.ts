// A job of two hosts between which everything takes long, or some of it is lost.
import { afterAll, beforeAll, expect, test } from "vitest";

import { type HostNetwork, startHostNetwork } from "../support/network/host-network.ts";
import { Answer, fourAgents, HUB_SPOKE } from "../e2e/shapes.ts";
import { wholeTrace } from "./whole-trace.ts";

const JOB = "far";
const QUESTION = "What is a Durable Object?";

let all: HostNetwork;
beforeAll(async () => {
  all = await startHostNetwork(2, { shaped: true });
  const file = await all.deployment.write(`${JOB}.yaml`, fourAgents(JOB, `${HUB_SPOKE}\n`));
  const hosts = await all.deployment.write(
    "hosts",
    `h1 slots=1 address=${all.host("h1").address}\nh2 slots=3 address=${all.host("h2").address}\n`,
  );
  await all.deployment.succeed("deploy", file, "--hosts", hosts);
});
afterAll(async () => all[Symbol.asyncDispose]());

test.each([
  ["200 ms there and back", { roundTripMs: 200 }],
  ["one frame in twenty lost each way", { lossPercent: 5 }],
])("answers with one whole trace of all agents over a network with %s", async (_, cable) => {
  await all.network.shape("h2", cable);
  const { answer, traceId } = Answer.parse(await all.deployment.json("query", JOB, QUESTION));
  expect(answer).toContain("Durable Object");
  const spans = await wholeTrace(all, JOB, traceId);
  expect([...new Set(spans.map(({ agent }) => agent))].toSorted()).toEqual([
    "coordinator",
    "fact_checker",
    "searcher",
    "summarizer",
  ]);
});
