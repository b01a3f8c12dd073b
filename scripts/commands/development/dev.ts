// troupe dev: runs a job under wrangler dev, and builds it again when a source is saved.
import { defineCommand } from "../../terminal/command.ts";
import { wholeNumber } from "../../terminal/flag-values.ts";

export default defineCommand({
  name: "dev",
  summary: "Run a job under wrangler dev, and build it again when a source is saved",
  usage: "<job>",
  positionals: [1, 1],
  options: {
    port: { type: "string", value: "PORT", description: "Port of all agents and of the control plane (default 8787)" },
  },
  examples: ["troupe dev research-assistant", "troupe dev research-assistant --port 8800"],

  async run({ positionals: [name = ""], options, io }) {
    const port = wholeNumber(options.port ?? "8787", "--port", 1, 65_535);
    const { loadJobFile } = await import("../../jobs/job-files.ts");
    const { runDev } = await import("../../dev/dev.ts");
    await runDev(await loadJobFile(name), port, io);
  },
});
