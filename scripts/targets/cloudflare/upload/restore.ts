// Brings Workers back to what they were, and removes those that are new.
import { reasonOf } from "#shared/text/reason.ts";
import type { Account } from "../account/account.ts";
import { deployedWorker } from "../account/workers.ts";
import { inParallel } from "./in-parallel.ts";
import { type Run, wrangler } from "./wrangler.ts";
import { tmpdir } from "node:os";

/** Script → the version that shall run; null for a Worker that shall not be there. */
export type Wanted = Readonly<Record<string, string | null>>;

/** Resolves to a sentence for each Worker that is not as it was. Tries all. May be repeated. */
export async function restore(
  account: Account,
  wanted: Wanted,
  message: string,
  signal: AbortSignal,
): Promise<string[]> {
  const run: Run = { account, folder: tmpdir(), signal };
  // A Worker is removed after those that bind to it have gone back.
  const kept = Object.entries(wanted).flatMap(([script, version]) => (version === null ? [] : [{ script, version }]));
  const removed = Object.keys(wanted).filter((script) => wanted[script] === null);
  const failures: string[] = [];
  const attempt = async (script: string, work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      failures.push(`${script} is not as it was: ${reasonOf(error)}`);
    }
  };
  await inParallel(kept, async ({ script, version }) =>
    attempt(script, async () => {
      const there = await deployedWorker(account, script, signal);
      if (there?.version !== version)
        await wrangler(["versions", "deploy", `${version}@100%`, "--name", script, "--message", message, "-y"], run);
    }),
  );
  await inParallel(removed, async (script) =>
    attempt(script, async () => {
      if ((await deployedWorker(account, script, signal)) === undefined) return;
      await wrangler(["delete", "--name", script, "--force"], run);
    }),
  );
  return failures;
}
