// troupe traces diff: shows how two traces differ.
import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { type Io, printJson } from "../../terminal/io.ts";
import { screenOf } from "../../terminal/screen.ts";
import { deployedTarget } from "../../targets/choose-target.ts";
import { chooseJobs } from "./choose-jobs.ts";
import { diffTraces } from "../../traces/diff.ts";
import { drawDiff } from "../../traces/draw/draw-diff.ts";
import { findTrace } from "../../traces/store/find-trace.ts";
import { deletedMeanwhile, type TraceStore } from "../../traces/store/store.ts";

export default defineCommand({
  name: "traces diff",
  summary: "Show how two traces differ: what took longer, cost more, failed or is missing",
  usage: "<id> <id>",
  positionals: [2, 2],
  options: { json: JSON_OPTION },
  examples: ["troupe traces diff 1a2b3c4d last"],

  async run({ positionals: [first = "", second = ""], options, io }) {
    const jobs = await chooseJobs(undefined);
    const [a, b] = await (
      await deployedTarget()
    ).withTraces(jobs, io, async (stores) => Promise.all([load(stores, first, io), load(stores, second, io)]));
    const rows = diffTraces(a, b, Date.now() * 1_000);
    if (options.json === true) return printJson(io, { a: a.summary, b: b.summary, spans: rows });
    io.print(drawDiff(a.summary, b.summary, rows, screenOf(process.stdout)).join("\n"));
  },
});

async function load(stores: readonly TraceStore[], wanted: string, io: Io) {
  const { store, summary } = await findTrace(stores, wanted, io);
  const changes = await store.changes(summary.traceId, 0);
  if (changes === undefined) throw deletedMeanwhile(summary.traceId);
  return changes;
}
