// Parsing of arguments: what a command gets, and what is said about flags it does not have.
import { describe, expect, test } from "vitest";

import { CliError, exitCodeOf } from "../../../../scripts/terminal/cli-error.ts";
import { defineCommand } from "../../../../scripts/terminal/command.ts";
import { commandHelp } from "../../../../scripts/terminal/help.ts";
import { recordedIo } from "../io.ts";

let seen: unknown;
const command = defineCommand({
  name: "greet",
  summary: "Greets somebody",
  usage: "<name> [words]",
  positionals: [1, 2],
  options: {
    loud: { type: "boolean", description: "In capitals" },
    times: { type: "string", value: "N", description: "How often" },
    as: { type: "string", value: "NAME", multiple: true, description: "By these names" },
  },
  examples: ["troupe greet Ada --loud"],
  run: async ({ positionals, options }) => {
    seen = { positionals, ...options };
  },
});

async function run(...args: string[]): Promise<unknown> {
  seen = undefined;
  await command.run(args, recordedIo());
  return seen;
}

describe("arguments", () => {
  test("flags may stand before, between and after", async () => {
    expect(await run("--loud", "Ada", "--times", "2", "hello")).toEqual({
      positionals: ["Ada", "hello"],
      loud: true,
      times: "2",
    });
  });
  test("a value may follow an equals sign", async () => {
    expect(await run("Ada", "--times=3")).toEqual({ positionals: ["Ada"], times: "3" });
  });
  test("a flag that may be given several times keeps all its values, any other the last", async () => {
    expect(await run("Ada", "--as", "x", "--as=y", "--times=1", "--times=2")).toEqual({
      positionals: ["Ada"],
      as: ["x", "y"],
      times: "2",
    });
  });
  test("a value that begins with a dash follows an equals sign", async () => {
    expect(await run("Ada", "--times=-3")).toEqual({ positionals: ["Ada"], times: "-3" });
  });
  test("after -- nothing is a flag", async () => {
    expect(await run("--", "--loud")).toEqual({ positionals: ["--loud"] });
  });
});

const WRONG: readonly (readonly [rule: string, args: string[], message: string])[] = [
  ["an unknown flag gets the nearest", ["Ada", "--lod"], 'greet has no flag --lod. Did you mean "--loud"?'],
  ["a flag without its value is named", ["Ada", "--times"], "--times needs a value: --times N"],
  ["a flag whose value got lost is named", ["Ada", "--times", "--loud"], "--times needs a value before --loud."],
  ["a flag with an empty value is named", ["Ada", "--times="], "--times needs a value: --times N"],
  [
    "what every object has is no flag",
    ["Ada", "--constructor", "--__proto__"],
    "greet has no flag --constructor. There is: --loud, --times, --as.",
  ],
  ["a flag that takes no value refuses one", ["Ada", "--loud=yes"], "--loud takes no value."],
  ["too few arguments show the usage", [], "An argument is missing: troupe greet <name> [words]"],
  [
    "the first argument too many is shown",
    ["a", "b", "c"],
    '"c" is one argument too many: troupe greet <name> [words]',
  ],
];

test.each(WRONG)("%s", async (_, args, message) => {
  await expect(run(...args)).rejects.toMatchObject({ name: "CliError", code: "bad_input", message });
});

test("each kind of failure has its exit code", () => {
  const codes = ["failed", "bad_input", "input_required", "interrupted"] as const;
  expect(codes.map(exitCodeOf)).toEqual([1, 2, 3, 130]);
  expect(new CliError("failed", "It broke.").next).toBe("");
});

test("the help is made of the definition", () => {
  expect(commandHelp(command)).toMatchInlineSnapshot(`
    "Greets somebody

    Usage: troupe greet <name> [words]

      --loud     In capitals
      --times N  How often
      --as NAME  By these names
      --help     Print this

    Examples:
      npx troupe greet Ada --loud"
  `);
});
