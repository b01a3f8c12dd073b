// troupe traces show: shows a trace as a tree, or all of one span.
import { CliError } from "../../terminal/cli-error.ts";
import { defineCommand } from "../../terminal/command.ts";
import { troupe } from "../../terminal/hint.ts";
import { type Io, printJson } from "../../terminal/io.ts";
import { screenOf } from "../../terminal/screen.ts";
import { oneLine } from "../../terminal/terminal-text.ts";
import { deployedTarget } from "../../targets/choose-target.ts";
import { chooseJobs } from "./choose-jobs.ts";
import { readDetails } from "../../traces/store/details.ts";
import { drawSpan, plainSpan } from "../../traces/draw/draw-span.ts";
import { drawTrace } from "../../traces/draw/draw.ts";
import { type Found, findTrace, hexPrefix } from "../../traces/store/find-trace.ts";
import { follow } from "../../traces/draw/follow.ts";
import { deletedMeanwhile } from "../../traces/store/store.ts";
import { traceRows } from "../../traces/draw/trace-rows.ts";

export default defineCommand({
  name: "traces show",
  summary: "Show a trace as a tree; the newest query when none is named",
  usage: "[id|last]",
  positionals: [0, 1],
  options: {
    job: { type: "string", value: "JOB", description: "Look only among the traces of this job" },
    follow: { type: "boolean", description: "Redraw the trace until it has ended, or Ctrl-C" },
    span: { type: "string", value: "ID", description: "Show all of one span, by the first digits of its id" },
    full: { type: "boolean", description: "Draw each span of a question to a peer on a row of its own" },
    json: { type: "boolean", description: "Print the trace and its spans, or the one span, as JSON" },
  },
  examples: [
    "troupe traces show",
    "troupe traces show 1a2b3c4d --span 5e6f",
    "troupe traces show last --job research-assistant --follow",
  ],

  async run({ positionals: [wanted = "last"], options, io }) {
    const span = options.span === undefined ? undefined : hexPrefix(options.span, "span id", 16);
    const json = options.json === true;
    if (options.follow === true && (json || span !== undefined)) {
      throw new CliError("bad_input", "--follow shows the tree: leave out --json and --span.");
    }
    const full = options.full === true;
    if (full && (json || span !== undefined || options.follow === true)) {
      throw new CliError("bad_input", "--full shows the whole tree: leave out --json, --span and --follow.");
    }
    await (
      await deployedTarget()
    ).withTraces(await chooseJobs(options.job), io, async (stores) => {
      const found = await findTrace(stores, wanted, io);
      if (span !== undefined) return showSpan(found, span, json, io);
      if (options.follow === true) {
        await follow(found.store, found.summary.traceId, io, () => screenOf(process.stdout));
        return;
      }
      return showTrace(found, json, full, io);
    });
  },
});

async function showTrace({ store, summary: { traceId } }: Found, json: boolean, full: boolean, io: Io): Promise<void> {
  const changes = await store.changes(traceId, 0);
  if (changes === undefined) throw deletedMeanwhile(traceId);
  const { summary, spans } = changes;
  const nowUs = Date.now() * 1_000;
  if (json) return printJson(io, traceRows({ job: store.job, summary, spans }, nowUs));
  const trace = { job: store.job, summary, spans, details: await readDetails(store, summary) };
  io.print(drawTrace(trace, screenOf(process.stdout), nowUs, full).join("\n"));
}

async function showSpan({ store, summary: { traceId } }: Found, wanted: string, json: boolean, io: Io): Promise<void> {
  const changes = await store.changes(traceId, 0);
  if (changes === undefined) throw deletedMeanwhile(traceId);
  const fitting = changes.spans.filter(({ spanId }) => spanId.startsWith(wanted));
  const [only, ...others] = fitting;
  if (only === undefined) {
    throw new CliError(
      "failed",
      `The trace has no span ${wanted}.`,
      `Its spans: ${troupe`traces show ${traceId} --full`}`,
    );
  }
  if (others.length > 0) {
    const lines = fitting
      .slice(0, 5)
      .map(({ spanId, agent, name }) => `  ${spanId}  ${oneLine(agent)}  ${oneLine(name)}`);
    throw new CliError("bad_input", `Several spans begin with ${wanted}:\n${lines.join("\n")}`);
  }
  const page = await store.whole(traceId, only);
  const span = page === undefined ? undefined : plainSpan(page);
  if (span === undefined) throw new CliError("failed", "The span is just changing.", "Try again.");
  if (json) return printJson(io, span);
  const below = changes.spans
    .filter(({ spanId, parentId }) => parentId === only.spanId && spanId !== parentId)
    .toSorted((a, b) => a.startUs - b.startUs);
  io.print(drawSpan(span, screenOf(process.stdout), below).join("\n"));
}
