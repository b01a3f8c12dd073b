// troupe traces export: prints a trace in a format of other programs.
import { defineCommand } from "../../terminal/command.ts";
import { deployedTarget } from "../../targets/choose-target.ts";
import { chooseJobs } from "./choose-jobs.ts";
import { chromeTrace } from "../../traces/draw/chrome.ts";
import { findTrace } from "../../traces/store/find-trace.ts";
import { oneOf } from "../../traces/options.ts";
import { OtlpDocument } from "../../traces/store/otlp-merge.ts";

const FORMATS = ["otlp", "chrome"];

export default defineCommand({
  name: "traces export",
  summary: "Print a trace as OTLP/JSON, or for Perfetto",
  usage: "<id|last>",
  positionals: [1, 1],
  options: {
    format: {
      type: "string",
      value: "FORMAT",
      description: "otlp (default): one OTLP/JSON document; chrome: Trace Event Format, for ui.perfetto.dev",
    },
    job: { type: "string", value: "JOB", description: "Look only among the traces of this job" },
  },
  examples: ["troupe traces export last > trace.json", "troupe traces export 1a2b3c4d --format chrome > perfetto.json"],

  async run({ positionals: [wanted = ""], options, io }) {
    const format = oneOf(options.format ?? "otlp", "--format", FORMATS);
    const document = new OtlpDocument();
    const target = await deployedTarget();
    const job = await target.withTraces(await chooseJobs(options.job), io, async (stores) => {
      const { store, summary } = await findTrace(stores, wanted, io);
      for await (const page of store.otlp(summary.traceId)) document.add(page);
      return store.job;
    });
    const { resourceSpans } = document;
    io.print(
      JSON.stringify(format === "otlp" ? { resourceSpans } : chromeTrace(resourceSpans, job, Date.now() * 1_000)),
    );
  },
});
