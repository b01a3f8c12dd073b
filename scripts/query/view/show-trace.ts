// The trace of an answer, drawn below it on stderr, so that stdout holds the answer alone.
import { CliError } from "../../terminal/cli-error.ts";
import { troupe } from "../../terminal/hint.ts";
import type { Io } from "../../terminal/io.ts";
import { screenOf } from "../../terminal/screen.ts";
import { manyLines } from "../../terminal/terminal-text.ts";
import { deployedTarget } from "../../targets/choose-target.ts";
import { count } from "../../traces/amounts.ts";
import { readDetails } from "../../traces/store/details.ts";
import { drawTrace } from "../../traces/draw/draw.ts";
import { untilComplete } from "../../traces/draw/follow.ts";

/**
 * Waits up to five seconds for the trace to be complete, and draws it. Notes what is missing; `traceId` is null for an
 * answer without a trace.
 */
export async function showTrace(job: string, traceId: string | null, io: Io): Promise<void> {
  if (traceId === null) return io.note(`\n${job} leaves no traces: it was deployed with tracing: false.`);
  try {
    await (
      await deployedTarget()
    ).withTraces([job], io, async ([store]) => {
      if (store === undefined) return;
      const { summary, spans, isComplete } = await untilComplete(store, traceId, io.signal);
      if (summary === undefined) {
        return io.note(
          `\nNothing of the trace ${traceId} has arrived yet. Try again: ${troupe`traces show ${traceId}`}`,
        );
      }
      const details = await readDetails(store, summary);
      const lines = drawTrace({ job, summary, spans, details }, screenOf(process.stderr), Date.now() * 1_000);
      io.note(`\n${lines.join("\n")}`);
      if (isComplete) return;
      const open =
        summary.openSpans === 0 ? "spans were still arriving" : `${count(summary.openSpans, "span")} had not ended`;
      io.note(`After 5 s ${open}. Try again: ${troupe`traces show ${traceId}`}`);
    });
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== "failed") throw error;
    io.note(`\nThe trace cannot be shown: ${manyLines(error.message)}`);
  }
}
