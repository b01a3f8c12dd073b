// The subcommands of `troupe traces`: their help says what they take, and their flags are checked before anything is started.
import { describe, expect, test } from "vitest";

import type { Command } from "../../../../scripts/terminal/command.ts";
import diff from "../../../../scripts/commands/traces/diff.ts";
import exported from "../../../../scripts/commands/traces/export.ts";
import list from "../../../../scripts/commands/traces/list.ts";
import prune from "../../../../scripts/commands/traces/prune.ts";
import show from "../../../../scripts/commands/traces/show.ts";
import traces from "../../../../scripts/commands/traces/traces.ts";
import { commandHelp, generalHelp, groupHelp } from "../../../../scripts/terminal/help.ts";
import { recordedIo } from "../io.ts";

const COMMANDS: readonly Command[] = [list, show, exported, diff, prune];

test("the group's help names its commands, and so does the general one", () => {
  expect(groupHelp(traces, COMMANDS)).toMatchInlineSnapshot(`
    "Show what happened in a query: every span of every agent

    Usage: troupe traces <command> [arguments]

      traces list [job]        List traces, the newest first
      traces show [id|last]    Show a trace as a tree; the newest query when none is named
      traces export <id|last>  Print a trace as OTLP/JSON, or for Perfetto
      traces diff <id> <id>    Show how two traces differ: what took longer, cost more, failed or is missing
      traces prune [job]       Delete traces, of all jobs when none is named

    Help on a command: npx troupe traces <command> --help"
  `);
  expect(generalHelp([traces])).toContain("  traces list|show|export|diff|prune  Show what happened");
});

test("a subcommand's help is headed by both names", () => {
  expect(commandHelp(show)).toMatchInlineSnapshot(`
    "Show a trace as a tree; the newest query when none is named

    Usage: troupe traces show [id|last]

      --job JOB  Look only among the traces of this job
      --follow   Redraw the trace until it has ended, or Ctrl-C
      --span ID  Show all of one span, by the first digits of its id
      --full     Draw each span of a question to a peer on a row of its own
      --json     Print the trace and its spans, or the one span, as JSON
      --help     Print this

    Examples:
      npx troupe traces show
      npx troupe traces show 1a2b3c4d --span 5e6f
      npx troupe traces show last --job research-assistant --follow"
  `);
});

test("every example is a command that is there", () => {
  const names = COMMANDS.flatMap(({ examples = [] }) => examples).map((line) => line.split(" ").slice(0, 3).join(" "));
  expect(new Set(names)).toEqual(new Set(COMMANDS.map(({ name }) => `troupe ${name}`)));
});

describe("a flag that is wrong is refused in words", () => {
  test.each([
    [list, ["--kind", "querry"], '--kind does not know "querry". Did you mean "query"?'],
    [list, ["--status", "broken"], '--status does not know "broken". There is: ok, error, open.'],
    [list, ["--since", "yesterday"], '--since takes a number and a unit, such as 2s, 90m or 7d, not "yesterday".'],
    [list, ["--limit", "0"], '--limit takes a whole number from 1 to 1000, not "0".'],
    [list, ["--costlier", "$1"], '--costlier takes US dollars such as 0.05, not "$1".'],
    [show, ["--span", "xyz"], '"xyz" is no span id: that is 16 hex digits, or the first of them, at least 4.'],
    [show, ["--follow", "--json"], "--follow shows the tree: leave out --json and --span."],
    [show, ["--full", "--json"], "--full shows the whole tree: leave out --json, --span and --follow."],
    [show, ["--full", "--span", "5e6f"], "--full shows the whole tree: leave out --json, --span and --follow."],
    [show, ["--full", "--follow"], "--full shows the whole tree: leave out --json, --span and --follow."],
    [exported, ["last", "--format", "xml"], '--format does not know "xml". There is: otlp, chrome.'],
    [prune, [], "Choose --older-than TIME or --all."],
    [prune, ["--all", "--older-than", "1d"], "Choose --older-than TIME or --all."],
    [diff, ["1a2b"], "An argument is missing: troupe traces diff <id> <id>"],
  ] as const)("%#: %o", async (command, args, message) => {
    await expect(command.run([...args], recordedIo())).rejects.toMatchObject({ code: "bad_input", message });
  });
});
