// Traces leave Troupe in the standard form: a receiver that is not ours gets the very spans that Troupe's own store has.
import { afterAll, beforeAll, expect, test } from "vitest";

import { asDevtoolsShows, Devtools } from "../support/devtools.ts";
import { type Protocol, TracedQuestion } from "../support/traced-question.ts";

let devtools: Devtools;
beforeAll(async () => {
  devtools = await Devtools.start();
});
afterAll(async () => devtools.close());

test.each<Protocol>(["http/json", "http/protobuf"])(
  "over %s, a receiver of OTLP gets the spans that Troupe's own store has",
  async (protocol) => {
    await using question = await TracedQuestion.ask(devtools.endpoint, protocol);
    const { stored, shown } = await question.seenBy(devtools);
    expect(shown).toEqual(stored.map(asDevtoolsShows));
  },
);
