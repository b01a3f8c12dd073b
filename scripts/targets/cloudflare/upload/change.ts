// A change of a job's Workers that is under way: written down before it begins, and undone where it does not succeed. A command that was
// killed leaves the note, and the next command undoes the change.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

import { reasonOf } from "#shared/text/reason.ts";
import { CliError } from "../../../terminal/cli-error.ts";
import type { Io } from "../../../terminal/io.ts";
import { manyLines } from "../../../terminal/terminal-text.ts";
import type { JobLayout } from "../../local/state/layout.ts";
import { readRelease } from "../../local/state/release.ts";
import { JobState, readState, writeState } from "../../local/state/state.ts";
import type { Account } from "../account/account.ts";
import { addressesOf } from "./addresses.ts";
import { changeAddresses } from "./change-addresses.ts";
import { presentAddresses } from "./present-addresses.ts";
import { restore } from "./restore.ts";
import type { Snapshot } from "./snapshot.ts";

const Note = z.object({
  account: z.string(),
  release: z.int(),
  /** Script → the version that ran before; null where it was new. */
  before: z.record(z.string(), z.nullable(z.string())),
});
type Note = z.infer<typeof Note>;

export interface Change {
  readonly account: Account;
  readonly before: Snapshot;
  readonly release: number;
  readonly io: Io;
}

function pathOf({ folder }: JobLayout): string {
  return join(folder, "cloudflare-change.json");
}

/** Runs `work`, which may change the Workers of `before`. Where it throws, they are as they were, and the error says so. */
export async function withChange<Result>(
  layout: JobLayout,
  { account, before, release, io }: Change,
  work: () => Promise<Result>,
): Promise<Result> {
  const versions = Object.fromEntries([...before].map(([script, there]) => [script, there?.version ?? null]));
  const note: Note = { account: account.id, release, before: versions };
  await writeState(pathOf(layout), note);
  let result: Result;
  try {
    result = await work();
  } catch (error) {
    const failures = await undo(layout, account, note, io);
    throw withOutcome(error, { failures, ranBefore: Object.values(versions).some((version) => version !== null) });
  }
  await rm(pathOf(layout), { force: true });
  return result;
}

/** Undoes a change that a killed command left. Throws CliError where that does not succeed. */
export async function finishChange(layout: JobLayout, account: Account, io: Io): Promise<void> {
  const note = await readState(pathOf(layout), Note);
  if (note === undefined) return;
  if (note.account !== account.id)
    throw new CliError(
      "failed",
      `A change of this job in the account ${note.account} was cut off.`,
      "Use that account once more.",
    );
  io.note("An earlier change was cut off; bringing back what ran before …");
  const failures = await undo(layout, account, note, io);
  if (failures.length > 0) throw new CliError("failed", failures.join("\n"), "Try again.");
}

/** Removes the note where all is as it was. Resolves to what is not. */
async function undo(layout: JobLayout, account: Account, { before, release }: Note, io: Io): Promise<string[]> {
  if (Object.values(before).some((version) => version !== null)) io.note("Bringing back what ran before …");
  const uninterrupted = new AbortController().signal;
  const failures = await bringBack(layout, account, { before, release }, uninterrupted).catch((error: unknown) => [
    reasonOf(error),
  ]);
  if (failures.length === 0) await rm(pathOf(layout), { force: true });
  return failures;
}

async function bringBack(
  layout: JobLayout,
  account: Account,
  { before, release }: Pick<Note, "before" | "release">,
  signal: AbortSignal,
): Promise<string[]> {
  const from = addressesOf(await readRelease(layout, release));
  const to = await presentAddresses(layout, await readState(layout.state, JobState), account);
  const failures: string[] = [];
  await changeAddresses(account, { from, to }, signal).catch((error: unknown) => failures.push(reasonOf(error)));
  return [...failures, ...(await restore(account, before, `Troupe undoes release ${release}`, signal))];
}

interface Outcome {
  readonly failures: readonly string[];
  readonly ranBefore: boolean;
}

function withOutcome(error: unknown, { failures, ranBefore }: Outcome): unknown {
  if (!(error instanceof CliError)) return error;
  if (failures.length > 0)
    return new CliError(
      error.code,
      manyLines([error.message, ...failures].join("\n")),
      "Deploy again: that brings back what ran before, first.",
    );
  const outcome = ranBefore
    ? "The former release runs again; no session was lost."
    : "Nothing of it is left in the account.";
  return new CliError(error.code, `${error.message}\n${outcome}`, error.next);
}
