// Replaces what runs by another release, on all machines at once: all of them keep it, or all go back.
import { performance } from "node:perf_hooks";
import { reasonOf } from "#shared/text/reason.ts";
import { CliError } from "../../terminal/cli-error.ts";
import type { Io } from "../../terminal/io.ts";
import type { Machine, SwapStep } from "./machine/machine.ts";
import type { Machines } from "./run.ts";

export interface Swap {
  readonly machines: Machines;
  readonly release: number;
  /** How long all of it may take before the machines go back by themselves. */
  readonly limitMs: number;
  /** Whether the releases store data in different forms. */
  readonly dataDiffer: boolean;
  /** The release whose copy of the data takes the place of the data. */
  readonly restoreDataOf?: number | undefined;
  readonly io: Io;
}

/** What a change may take beside the agents' start. */
export const SPARE_MS = 30_000;

/** Machines were lost while they changed. */
export class UnknownOutcome extends CliError {
  constructor(cause: unknown, away: readonly string[], seconds: number) {
    super(
      "failed",
      `${reasonOf(cause)}\nNobody can say what runs on ${away.join(", ")} now: without this command it goes back to what ran before, within ${seconds} s.`,
      "When it answers again, look at the job's status, and deploy again.",
    );
  }
}

/** One machine's part. */
interface Part {
  readonly machine: Machine;
  readonly steps: AsyncGenerator<{ readonly step: SwapStep; readonly why: string }>;
}

/**
 * Ends what runs and starts the release; when `whole` resolves, the release stays. `whole` calls `answers` when all agents answer. Resolves
 * to the time in milliseconds until then, in which nothing answered. Throws CliError when it went back, with why.
 */
export async function swap(request: Swap, whole: (answers: () => void) => Promise<void>): Promise<number> {
  const { machines, release, limitMs, dataDiffer, restoreDataOf, io } = request;
  // Ctrl-C must not cut the way back.
  const { signal } = new AbortController();
  const options = { release, seconds: Math.ceil(limitMs / 1000), dataDiffer, signal };
  const parts = [...machines.values()].map((machine): Part => {
    const restored = restoreDataOf === undefined ? {} : { restoreDataOf };
    return { machine, steps: machine.swap({ ...options, ...restored }) };
  });
  const begun = performance.now();
  let gapMs = 0;
  try {
    await Promise.all(parts.map(async (part) => until(part, "started")));
    await whole(() => (gapMs = performance.now() - begun));
    io.signal.throwIfAborted();
  } catch (error) {
    const back = await Promise.allSettled(parts.map(async (part) => goBack(part)));
    const away = parts.flatMap(({ machine }, index) => (back[index]?.status === "rejected" ? [machine.id] : []));
    if (away.length > 0) throw new UnknownOutcome(error, away, options.seconds);
    throw io.signal.aborted ? new CliError("interrupted", "Interrupted; the former release runs again.") : error;
  }
  await Promise.all(
    parts.map(async (part) => {
      await part.machine.decide("keep");
      await until(part, "kept");
    }),
  );
  return gapMs;
}

async function until({ machine, steps }: Part, wanted: SwapStep): Promise<void> {
  for (;;) {
    const next = await steps.next();
    if (next.done === true) throw new CliError("failed", `${machine.id}: the change ended before it was ${wanted}.`);
    const { step, why } = next.value;
    if (step === wanted) return;
    if (step === "failed") throw new CliError("failed", `${machine.id}: ${why}.`);
    if (step === "back") throw new CliError("failed", `${machine.id} went back to the former release by itself.`);
  }
}

async function goBack({ machine, steps }: Part): Promise<void> {
  await machine.decide("back");
  while ((await steps.next()).done !== true);
}
