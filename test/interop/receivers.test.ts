// One research question's trace, sent on by Troupe to receivers that others wrote: each shows, by its own API, the very spans that
// Troupe's own store has. A receiver that cannot be had here is skipped with the reason.
import { beforeAll, describe, expect, test } from "vitest";

import { GEN_AI, OPERATION } from "#shared/tracing/names.ts";

import { AGENTS, type Protocol, TracedQuestion } from "../support/traced-question.ts";
import { buildCollector, Collector, COLLECTOR_VERSION } from "./collector.ts";
import { buildJaeger, Jaeger, JAEGER_VERSION } from "./jaeger.ts";
import { asPhoenixShows, installPhoenix, Phoenix, PHOENIX_VERSION } from "./phoenix.ts";
import { Unreachable } from "./toolchain.ts";

/** Builds before all tests of a suite. What it returns resolves to the program's path, or skips the test that asks. */
function built(build: () => Promise<string>): (skip: (reason: string) => never) => Promise<string> {
  let building = Promise.resolve("");
  beforeAll(async () => {
    building = build();
    await Promise.allSettled([building]);
  });
  return async (skip) => {
    try {
      return await building;
    } catch (error) {
      if (error instanceof Unreachable) return skip(error.message);
      throw error;
    }
  };
}

describe(`OpenTelemetry Collector ${COLLECTOR_VERSION}`, () => {
  const path = built(buildCollector);

  test.for<Protocol>(["http/protobuf", "http/json"])("writes every span it got over %s", async (protocol, { skip }) => {
    await using collector = await Collector.start(await path(skip));
    await using question = await TracedQuestion.ask(collector.endpoint, protocol);
    const { stored, shown } = await question.seenBy(collector);
    expect(shown).toEqual(stored);
  });
});

describe(`Jaeger ${JAEGER_VERSION}`, () => {
  const path = built(buildJaeger);

  test("shows the four agents as services and every span of the one trace", async ({ skip }) => {
    await using jaeger = await Jaeger.start(await path(skip));
    await using question = await TracedQuestion.ask(jaeger.endpoint, "http/protobuf");
    const { stored, shown } = await question.seenBy(jaeger);
    expect(shown).toEqual(stored);
    expect(await jaeger.services()).toEqual(expect.arrayContaining(AGENTS));
  });
});

describe(`Arize Phoenix ${PHOENIX_VERSION}`, () => {
  const path = built(installPhoenix);

  test("shows every span, agents, tools and model calls as such, and the tokens of the whole question", async ({
    skip,
  }) => {
    await using phoenix = await Phoenix.start(await path(skip));
    await using question = await TracedQuestion.ask(phoenix.endpoint, "http/protobuf");
    const { stored, shown } = await question.seenBy(phoenix);
    expect(shown).toMatchObject(stored.map(asPhoenixShows));

    const calls = stored.filter(({ attributes }) => attributes[GEN_AI.operation] === OPERATION.chat);
    const [input, output] = [GEN_AI.inputTokens, GEN_AI.outputTokens].map((kind) =>
      calls.reduce((sum, { attributes }) => sum + Number(attributes[kind]), 0),
    );
    expect(input).toBeGreaterThan(0);
    expect(await phoenix.tokens()).toEqual([{ input, output }]);
  });
});
