// The trace of an answer, drawn below it on stderr, so that stdout holds the answer alone.
import { CliError } from "../cli-error.ts";
import { troupe } from "../hint.ts";
import type { Io } from "../io.ts";
import { screenOf } from "../screen.ts";
import { manyLines } from "../terminal-text.ts";
import { localTarget } from "../targets/choose-target.ts";
import { count } from "../traces/amounts.ts";
import { readDetails } from "../traces/details.ts";
import { drawTrace } from "../traces/draw.ts";
import { untilComplete } from "../traces/follow.ts";

/** Waits up to five seconds for the trace to be complete and draws what there is. What is missing is said, not thrown. An answer without an id has none. */
export async function showTrace(job: string, traceId: string | null, io: Io): Promise<void> {
  if (traceId === null) return io.note(`\n${job} leaves no traces: it was deployed with tracing: false.`);
  try {
    await (
      await localTarget()
    ).withTraces([job], io, async ([store]) => {
      if (store === undefined) return;
      const { summary, spans, isComplete } = await untilComplete(store, traceId, io.signal);
      if (summary === undefined) {
        return io.note(
          `\nNothing of the trace ${traceId} has arrived yet. Look again: ${troupe`traces show ${traceId}`}`,
        );
      }
      const details = await readDetails(store, summary);
      const lines = drawTrace({ job, summary, spans, details }, screenOf(process.stderr), Date.now() * 1_000);
      io.note(`\n${lines.join("\n")}`);
      if (isComplete) return;
      const open =
        summary.openSpans === 0 ? "spans were still coming" : `${count(summary.openSpans, "span")} had not ended`;
      io.note(`After 5 s ${open}. Look again: ${troupe`traces show ${traceId}`}`);
    });
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== "failed") throw error;
    io.note(`\nThe trace cannot be shown: ${manyLines(error.message)}`);
  }
}
