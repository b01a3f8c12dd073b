// Hears what one Worker logs, through wrangler, until the signal aborts.
import { once } from "node:events";
import { tmpdir } from "node:os";

import { reasonIn, signalGroup, startWrangler } from "../../../project/wrangler-process.ts";
import { CliError } from "../../../terminal/cli-error.ts";
import type { LogLine } from "../../target.ts";
import type { Account } from "../account/account.ts";
import { accountVariables } from "../upload/wrangler.ts";
import { objectsIn } from "./objects-in.ts";
import { linesOf } from "./tail-event.ts";

/** wrangler deletes the tail in the account when it ends; then it is killed. */
const GRACE_MS = 2_000;
const KEPT_CHARS = 16_000;

/** The lines of one invocation after the other. Throws CliError where wrangler ends by itself. */
export async function* tail(
  account: Account,
  { script, agent }: { readonly script: string; readonly agent: string },
  signal: AbortSignal,
): AsyncGenerator<readonly LogLine[]> {
  signal.throwIfAborted();
  const child = startWrangler(["tail", script, "--format", "json"], tmpdir(), accountVariables(account));
  const closed = once(child, "close");
  let said = "";
  child.stderr.on("data", (text: string) => (said = (said + text).slice(-KEPT_CHARS)));
  const end = () => signalGroup(child, "SIGTERM");
  signal.addEventListener("abort", end);
  try {
    for await (const text of objectsIn(child.stdout)) yield linesOf(text, agent);
    signal.throwIfAborted();
    throw new CliError("failed", `wrangler tail ${script} has ended: ${reasonIn(said)}`);
  } finally {
    signal.removeEventListener("abort", end);
    end();
    const timer = setTimeout(() => signalGroup(child, "SIGKILL"), GRACE_MS);
    await closed;
    clearTimeout(timer);
  }
}
