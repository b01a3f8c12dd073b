// What a shell is told to complete.
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { scriptFor, SHELLS } from "../../../../scripts/completion/shells.ts";

const CLI = join(import.meta.dirname, "../../../../scripts/troupe.mjs");

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "troupe-completion-"));
});
afterAll(async () => rm(home, { recursive: true }));

function complete(...words: string[]): string[] {
  const env = { ...process.env, TROUPE_HOME: home };
  const out = execFileSync(process.execPath, [CLI, "__complete", "--", ...words], { encoding: "utf8", env });
  return out.split("\n").filter((line) => line !== "");
}

test.each([
  [["sta"], ["start", "status"]],
  [["traces", "s"], ["show"]],
  [["query", "research-assistant", "--se"], ["--session"]],
  [["chat", "research-as"], ["research-assistant"]],
  [["query", "x", "--file", ""], [":files"]],
  [
    ["completion", ""],
    ["bash", "zsh", "fish"],
  ],
  [["query", "nobody", "--agent", ""], []],
  [["no-such-command", ""], []],
])("after %j fits %j", (words, found) => {
  expect(complete(...words)).toEqual(found);
});

/** Shells that this machine lacks are not tested. */
const isInstalled = (shell: string) => spawnSync(shell, ["--version"]).error === undefined;

test.each(SHELLS.filter(isInstalled))("the script for %s is taken by that shell", (shell) => {
  const file = `${home}/script.${shell}`;
  writeFileSync(file, scriptFor(shell));
  const { status, stderr } = spawnSync(shell, ["-n", file], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
});

test("fish completes what the program says", { skip: !isInstalled("fish") }, () => {
  const file = `${home}/completing.fish`;
  writeFileSync(file, scriptFor("fish"));
  const env = { ...process.env, TROUPE_HOME: home, HOME: home };
  const typed = `source ${file}; complete -C "troupe traces s"`;
  expect(spawnSync("fish", ["--no-config", "-c", typed], { encoding: "utf8", env }).stdout).toBe("show\n");
});

test("bash completes what the program says", { skip: !isInstalled("bash") }, () => {
  const typed = `${scriptFor("bash")}
COMP_WORDS=(troupe traces s) COMP_CWORD=2
_troupe && echo "\${COMPREPLY[*]}"`;
  const env = { ...process.env, TROUPE_HOME: home };
  expect(spawnSync("bash", ["--norc"], { input: typed, encoding: "utf8", env }).stdout).toBe("show\n");
});
