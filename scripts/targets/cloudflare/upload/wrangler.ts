// Runs the wrangler of this project: one command, watched, in a process group of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { randomUUID } from "node:crypto";
import * as z from "zod";

import { parseJson } from "#shared/text/parse-json.ts";
import { CliError } from "../../../terminal/cli-error.ts";
import type { Account } from "../account/account.ts";
import { RIGHTS } from "../account/api.ts";

/** wrangler has no limit of its own. */
const LIMIT_MS = 180_000;
const KEPT_BYTES = 64_000;
const GUARD = new URL("end-with-parent.ts", import.meta.url).href;

const Event = z.looseObject({
  type: z.string(),
  version_id: z.optional(z.nullable(z.string())),
  code: z.optional(z.number()),
});
export type WranglerEvent = z.infer<typeof Event>;

export interface Run {
  readonly account: Account;
  /** Where wrangler begins: the folder of a configuration. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/**
 * Resolves to what wrangler reports once it has ended well. Throws CliError with its own words, also when it takes longer than three
 * minutes. It may have changed the account even then.
 */
export async function wrangler(args: readonly string[], { account, folder, signal }: Run): Promise<WranglerEvent[]> {
  signal.throwIfAborted();
  const output = join(tmpdir(), `troupe-wrangler-${randomUUID()}.ndjson`);
  // Its `bin` would leave an orphan behind when it is killed.
  const program = createRequire(import.meta.url).resolve("wrangler");
  const child = spawn(process.execPath, ["--no-warnings", "--import", GUARD, program, ...args], {
    cwd: folder,
    detached: true,
    env: environmentOf(account, output),
    // Its end tells that this process is gone.
    stdio: ["pipe", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-KEPT_BYTES)));
  const end = () => endGroup(child.pid);
  const timer = setTimeout(end, LIMIT_MS);
  signal.addEventListener("abort", end);
  try {
    await once(child, "close");
    const events = await eventsIn(output);
    signal.throwIfAborted();
    const failure = events.find(({ type }) => type === "command-failed");
    if (child.exitCode === 0 && failure === undefined) return events;
    const isRefused = failure?.code !== undefined && REFUSED.includes(failure.code);
    throw new CliError("failed", `wrangler ${args[0] ?? ""} failed: ${reasonIn(said)}`, isRefused ? RIGHTS : "");
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    await rm(output, { force: true });
  }
}

/** Only what wrangler needs: no other variable of the shell decides what it does. */
function environmentOf({ id, credentials }: Account, output: string): NodeJS.ProcessEnv {
  const kept = [
    "PATH",
    "HOME",
    "USERPROFILE",
    "SYSTEMROOT",
    "TMPDIR",
    "TEMP",
    "NODE_EXTRA_CA_CERTS",
    "NODE_USE_ENV_PROXY",
  ];
  const proxy = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];
  const own = [...kept, ...proxy].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(own),
    CLOUDFLARE_API_TOKEN: credentials.token,
    CLOUDFLARE_ACCOUNT_ID: id,
    CLOUDFLARE_API_BASE_URL: credentials.url,
    CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: "false",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_OUTPUT_FILE_PATH: output,
    CI: "true",
    NO_COLOR: "1",
  };
}

async function eventsIn(path: string): Promise<WranglerEvent[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => Event.safeParse(parseJson(line)).data ?? []);
}

/** Codes of a token that is none, or lacks a right. */
const REFUSED: readonly number[] = [9109, 10_000];

/** The line that says what is wrong, and what belongs to it. */
function reasonIn(said: string): string {
  const lines = stripVTControlCharacters(said)
    .split("\n")
    .map((line) => line.trim());
  const at = lines.findIndex((line) => line.includes("[ERROR]"));
  const found = at === -1 ? lines.filter((line) => line !== "").slice(-3) : lines.slice(at, at + 6);
  const words = found.filter((line) => line !== "" && !line.startsWith("🪵") && !line.startsWith("To learn more"));
  return words.join(" ").replace(/^.*?\[ERROR\]\s*/, "") || "it said nothing";
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
