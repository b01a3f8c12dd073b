// The real wrangler as a process of its own, with nothing of this process's environment that could tell it of another account.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

import type { CloudflareEmulator } from "./emulator.ts";

const BIN = createRequire(import.meta.url).resolve("wrangler");

export interface Ran {
  readonly code: number | null;
  /** What it printed on stdout. */
  readonly output: string;
  readonly errors: string;
}

/** `folder`: of the wrangler.json, and its home. `input`: what it reads on stdin. */
export async function wrangler(
  cloudflare: CloudflareEmulator,
  folder: string,
  args: readonly string[],
  input = "",
): Promise<Ran> {
  const settings = { HOME: folder, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" };
  return run(cloudflare, folder, [BIN, ...args], settings, input);
}

/** A module's text, run by a Node that takes the emulator for Cloudflare and for the internet. */
export async function nodeAt(cloudflare: CloudflareEmulator, module: string): Promise<Ran> {
  return run(cloudflare, process.cwd(), ["--input-type=module", "--eval", module], {}, "");
}

async function run(
  { environment }: CloudflareEmulator,
  cwd: string,
  args: readonly string[],
  settings: NodeJS.ProcessEnv,
  input: string,
): Promise<Ran> {
  const env = { PATH: process.env["PATH"], ...environment, ...settings };
  const child = spawn(process.execPath, ["--no-warnings", ...args], { cwd, env, stdio: "pipe" });
  child.stdin.end(input);
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: child.exitCode, output, errors };
}
