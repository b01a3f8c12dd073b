// `.dev.vars`, as wrangler's own reader, dotenv, takes it.
import { describe, expect, test } from "vitest";

import { devVars } from "../../../../scripts/dev/dev-vars.ts";

test("each secret has a line, and an empty set has none", () => {
  expect(devVars({ TROUPE_KEY: "a_b-c", OTHER: "" })).toBe("TROUPE_KEY='a_b-c'\nOTHER=''\n");
  expect(devVars({})).toBe("");
});

describe("a value is taken as it is", () => {
  test.each([
    ["with spaces, # and =", "a b # c=d"],
    ["with a backslash before an n", String.raw`a\nb`],
    ["with double quotes", 'say "hi"'],
    ["over several lines", "-----BEGIN-----\nabc\n-----END-----"],
  ])("%s", (_, value) => {
    expect(devVars({ KEY: value })).toBe(`KEY='${value}'\n`);
  });
  test("with a single quote it stands between backticks", () => {
    expect(devVars({ KEY: "it's" })).toBe("KEY=`it's`\n");
  });
});

test.each(["both ' and `", "a\r\nb", "ends\\"])(
  "a value that dotenv would change is refused by its name alone: %j",
  (value) => {
    expect(() => devVars({ MY_KEY: value })).toThrow("The secret MY_KEY cannot stand in .dev.vars");
  },
);
