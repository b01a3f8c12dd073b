// troupe deploy: starts a job, or replaces the running one.
import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { troupe } from "../../terminal/hint.ts";
import { printJson } from "../../terminal/io.ts";
import { PLACEMENT_OPTIONS } from "../../jobs/placement-options.ts";
import { describeStatus } from "../../jobs/show-status.ts";

export default defineCommand({
  name: "deploy",
  summary: "Start a job, or replace the running one without losing its sessions",
  usage: "<job>",
  positionals: [1, 1],
  options: {
    corpus: {
      type: "string",
      value: "DIR",
      description: "Folder of documents to search: text, HTML, PDF, docx, data, code",
    },
    ...PLACEMENT_OPTIONS,
    "leave-sessions": {
      type: "boolean",
      description: "Where agents move to other machines: leave their sessions behind",
    },
    "allow-data-loss": {
      type: "boolean",
      description: "On Cloudflare: delete the data of Durable Objects that an agent no longer has",
    },
    json: JSON_OPTION,
  },
  examples: ["troupe deploy research-assistant", "troupe deploy research-assistant --corpus ~/notes"],

  async run({ positionals: [name = ""], options, io }) {
    const { loadJobFile } = await import("../../jobs/job-files.ts");
    const { readPlacement } = await import("../../jobs/read-placement.ts");
    const { withAddresses } = await import("../../jobs/with-addresses.ts");
    const { placeAgents } = await import("#jobs/placement/place-agents.ts");
    const choice = await readPlacement(options);
    const { job, source, path } = await loadJobFile(name, choice);
    const placement = await withAddresses(job, choice);
    for (const note of placeAgents(job, placement).notes) io.note(note);
    const { deployJob } = await import("../../targets/deploy-job.ts");
    const { refuseToLeave } = await import("../../sessions/sessions-left.ts");
    if (options["leave-sessions"] !== true) await refuseToLeave(job, placement, io);
    const mayLoseData = options["allow-data-loss"] === true;
    const {
      status,
      healthyMs,
      gapMs,
      leftOut = [],
    } = await deployJob({ job, source, file: path, corpus: options.corpus, placement, mayLoseData }, io);
    if (options.json === true) return printJson(io, { ...status, healthyMs: Math.round(healthyMs), gapMs, leftOut });
    io.print(describeStatus(status));
    const gap = gapMs === undefined ? "" : `, of which nothing answered for ${(gapMs / 1000).toFixed(2)} s`;
    io.note(`Healthy after ${(healthyMs / 1000).toFixed(2)} s${gap}. Ask it: ${troupe`query ${job.name} "…"`}`);
  },
});
