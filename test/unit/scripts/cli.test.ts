// The command as a process: what it says of itself, and what it loads for that.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import * as z from "zod";

const ROOT = join(import.meta.dirname, "../../..");
const CLI = join(ROOT, "scripts/troupe.mjs");
/** Prints each module that is loaded. */
const LISTING = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from "node:module";
  import { writeSync } from "node:fs";
  registerHooks({ load: (url, context, next) => (writeSync(2, url + "\\n"), next(url, context)) });`)}`;

async function troupe(args: readonly string[], ...nodeArgs: readonly string[]) {
  return promisify(execFile)(process.execPath, [...nodeArgs, CLI, ...args], { cwd: ROOT });
}

test.each(["--version", "-V", "version"])("%s says which version it is", async (flag) => {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")));
  expect((await troupe([flag])).stdout).toBe(`troupe ${version}\n`);
});

test.each([[[]], [["--help"]], [["--version"]], [["query", "--help"]], [["help", "deploy"]], [["nonsense"]]])(
  "%j loads no library: it is there at once",
  async (args) => {
    const { stderr } = await troupe(args, "--import", LISTING).catch((error: { readonly stderr: string }) => error);
    const loaded = stderr.split("\n").filter((line) => line.startsWith("file:"));
    expect(loaded.filter((url) => url.includes("node_modules"))).toEqual([]);
    expect(loaded.some((url) => url.endsWith("/scripts/cli.ts"))).toBe(true);
    expect(loaded.length).toBeLessThan(50);
  },
);

test("help for a command is the same however it is asked for", async () => {
  const [first, ...others] = await Promise.all(
    [
      ["help", "query"],
      ["query", "--help"],
      ["--help", "query"],
    ].map(async (args) => (await troupe(args)).stdout),
  );
  expect(first).toContain("Usage: troupe query <job|url> [question]");
  expect(others).toEqual([first, first]);
});

test("a reader that has seen enough is no failure, neither of what is printed nor of what is noted", async () => {
  for (const args of [["--help"], ["nonsense"]]) {
    const child = spawn(process.execPath, [CLI, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    const closed = args[0] === "--help" ? child.stdout : child.stderr;
    const other = closed === child.stdout ? child.stderr : child.stdout;
    closed.destroy();
    expect([await text(other), ...(await once(child, "exit"))]).toEqual(["", args[0] === "--help" ? 0 : 2, null]);
  }
});

test("output that cannot be written is said in words", { skip: process.platform !== "linux" }, async () => {
  const child = spawn("sh", ["-c", `"$0" "$1" --help > /dev/full`, process.execPath, CLI], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  expect([await text(child.stderr), ...(await once(child, "exit"))]).toEqual([
    expect.stringMatching(/^The disk of [^\n]* is full[^\n]*\n[^\n]+\n$/),
    1,
    null,
  ]);
});
