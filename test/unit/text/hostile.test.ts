// Text from anywhere takes time in proportion to its length. At this length the square of it would take minutes.
import { expect, test } from "vitest";
import { hostileTexts, PASSES } from "../../support/hostile-text.ts";

const CHARS = 100_000;
const LIMIT_MS = 60_000;

test.each(Object.entries(PASSES))(
  "no text makes the reading of %s take more than its share",
  (_, { stretches }) => {
    const done = hostileTexts(CHARS).map(({ text }) => {
      for (const _ of stretches(text));
      return true;
    });
    expect(done).not.toContain(false);
  },
  LIMIT_MS,
);
