// Removes a job's Workers, and with them their sessions. A Worker that something outside of the job binds to is left alone.
import { tmpdir } from "node:os";
import * as z from "zod";

import { reasonOf } from "#shared/text/reason.ts";
import { CliError } from "../../terminal/cli-error.ts";
import type { Io } from "../../terminal/io.ts";
import { manyLines } from "../../terminal/terminal-text.ts";
import type { OnCloudflare } from "../local/state/state.ts";
import { type Account, sameAccount } from "./account/account.ts";
import { read } from "./account/api.ts";
import { deployedWorker } from "./account/workers.ts";
import { inParallel } from "./upload/in-parallel.ts";
import { ownerOf } from "./upload/upload.ts";
import { wrangler } from "./upload/wrangler.ts";

const References = z.object({
  services: z.optional(z.object({ incoming: z.array(z.object({ service: z.string() })) })),
  durable_objects: z.optional(z.array(z.object({ service: z.string() }))),
});

/** Resolves to whether all of them are gone; notes those that are not. The caller holds the job's lock. May be repeated. */
export async function removeFromCloudflare(job: string, there: OnCloudflare, io: Io): Promise<boolean> {
  const account = await sameAccount(there, process.env, io.signal);
  const own = Object.entries({ ...there.retired, ...there.workers });
  const scripts = new Set(own.map(([, { script }]) => script));
  // Of a circle each binds to another, so all are looked at before the first is removed.
  const outside = await inParallel(own, async ([, { script }]) => bindersOf(account, script, scripts, io.signal));
  const bound = own.flatMap(([, { script }], index) => {
    const names = outside[index] ?? [];
    return names.length === 0 ? [] : [`${script} stays: ${names.join(", ")} binds to it.`];
  });
  if (bound.length > 0) throw new CliError("failed", bound.join("\n"), "Remove those bindings first.");
  const failures: string[] = [];
  await inParallel(own, async ([agent, { script }]) => {
    try {
      const found = await deployedWorker(account, script, io.signal);
      if (found?.owner !== ownerOf(account, job, agent)) return;
      await wrangler(["delete", "--name", script, "--force"], { account, folder: tmpdir(), signal: io.signal });
    } catch (error) {
      io.signal.throwIfAborted();
      failures.push(`${script} is not removed: ${reasonOf(error)}`);
    }
  });
  if (failures.length > 0) io.note(manyLines(failures.join("\n")));
  return failures.length === 0;
}

/** Workers outside of `own` that bind to this one. */
async function bindersOf(
  account: Account,
  script: string,
  own: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<string[]> {
  const path = `/accounts/${account.id}/workers/scripts/${script}/references`;
  const found = await read(account.credentials, path, References, signal);
  const all = [...(found?.services?.incoming ?? []), ...(found?.durable_objects ?? [])].map(({ service }) => service);
  return [...new Set(all)].filter((name) => !own.has(name));
}
