// Runs the wrangler of this project: one command, watched, in a process group of its own.
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomUUID } from "node:crypto";
import * as z from "zod";

import { parseJson } from "#shared/text/parse-json.ts";
import { reasonIn, signalGroup, startWrangler } from "../../../project/wrangler-process.ts";
import { CliError } from "../../../terminal/cli-error.ts";
import type { Account } from "../account/account.ts";
import { RIGHTS } from "../account/api.ts";

/** wrangler has no limit of its own. */
const LIMIT_MS = 180_000;
const KEPT_BYTES = 64_000;

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
  const child = startWrangler(args, folder, { ...accountVariables(account), WRANGLER_OUTPUT_FILE_PATH: output });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text: string) => (said = (said + text).slice(-KEPT_BYTES)));
  const end = () => signalGroup(child, "SIGKILL");
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

/** The variables that name the account. */
export function accountVariables({ id, credentials }: Account): Readonly<Record<string, string>> {
  return {
    CLOUDFLARE_API_TOKEN: credentials.token,
    CLOUDFLARE_ACCOUNT_ID: id,
    CLOUDFLARE_API_BASE_URL: credentials.url,
  };
}

async function eventsIn(path: string): Promise<WranglerEvent[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => Event.safeParse(parseJson(line)).data ?? []);
}

/** Codes of a token that is none, or lacks a right. */
const REFUSED: readonly number[] = [9109, 10_000];
