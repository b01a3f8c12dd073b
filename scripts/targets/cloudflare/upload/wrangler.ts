// Runs the wrangler of this project: one command, watched, in a process group of its own.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import * as z from "zod";

import { parseJson } from "#shared/text/parse-json.ts";
import { CliError } from "../../../terminal/cli-error.ts";
import type { Account } from "../account/account.ts";

/** wrangler has no limit of its own. */
const LIMIT_MS = 180_000;
const KEPT_BYTES = 64_000;

const Event = z.looseObject({
  type: z.string(),
  version_id: z.optional(z.nullable(z.string())),
  message: z.optional(z.string()),
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
  const { child, kill, release } = startWrangler(args, { account, folder, output });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-KEPT_BYTES)));
  const end = () => kill("SIGKILL");
  const timer = setTimeout(end, LIMIT_MS);
  signal.addEventListener("abort", end);
  try {
    await once(child, "close");
    const events = await eventsIn(output);
    signal.throwIfAborted();
    if (child.exitCode === 0 && !events.some(({ type }) => type === "command-failed")) return events;
    throw new CliError("failed", `wrangler ${args[0] ?? ""} failed: ${reasonIn(said)}`);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    release();
    await rm(output, { force: true });
  }
}

export interface Started {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  /** Sends a signal to all of its processes. */
  readonly kill: (signal: NodeJS.Signals) => void;
  /** To be called when it has ended. */
  readonly release: () => void;
}

/** wrangler in a process group of its own. Whatever ends this process ends it, too. */
export function startWrangler(
  args: readonly string[],
  { account, folder, output }: Pick<Run, "account" | "folder"> & { readonly output?: string },
): Started {
  // Its `bin` would leave an orphan behind when it is killed.
  const program = createRequire(import.meta.url).resolve("wrangler");
  const child = spawn(process.execPath, ["--no-warnings", program, ...args], {
    cwd: folder,
    detached: true,
    env: environmentOf(account, output),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const kill = (signal: NodeJS.Signals) => killGroup(child.pid, signal);
  const end = () => kill("SIGKILL");
  process.once("exit", end);
  return { child, kill, release: () => process.removeListener("exit", end) };
}

/** Only what wrangler needs: no other variable of the shell decides what it does. */
function environmentOf({ id, credentials }: Account, output: string | undefined): NodeJS.ProcessEnv {
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
    ...(output === undefined ? {} : { WRANGLER_OUTPUT_FILE_PATH: output }),
    CI: "true",
    NO_COLOR: "1",
  };
}

async function eventsIn(path: string): Promise<WranglerEvent[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => Event.safeParse(parseJson(line)).data ?? []);
}

/** The line that says what is wrong, and what belongs to it. */
export function reasonIn(said: string): string {
  const lines = said.split("\n").map((line) => line.trim());
  const at = lines.findIndex((line) => line.includes("[ERROR]"));
  const found = at === -1 ? lines.filter((line) => line !== "").slice(-3) : lines.slice(at, at + 6);
  const words = found.filter((line) => line !== "" && !line.startsWith("🪵") && !line.startsWith("To learn more"));
  return words.join(" ").replace(/^.*?\[ERROR\]\s*/, "") || "it said nothing";
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended by itself.
  }
}
