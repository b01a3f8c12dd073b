// troupe logs: shows the log of a job.
import { defineCommand } from "../../terminal/command.ts";
import { wholeNumber } from "../../terminal/flag-values.ts";
import { manyLines } from "../../terminal/terminal-text.ts";
import type { LogLine } from "../../targets/target.ts";
import { deployedTarget } from "../../targets/choose-target.ts";

const MOST_LINES = 1_000_000;

export default defineCommand({
  name: "logs",
  summary: "Show the last lines of a job's log",
  usage: "<job>",
  positionals: [1, 1],
  options: {
    agent: { type: "string", value: "ID", description: "Only lines of this agent" },
    trace: { type: "string", value: "ID", description: "Only lines of this trace: its id, or the first digits" },
    follow: { type: "boolean", description: "Print new lines until Ctrl-C; on Cloudflare there are no others" },
    lines: {
      type: "string",
      value: "N",
      description: "How many lines to begin with (default 100); on Cloudflare none",
    },
    json: { type: "boolean", description: "Print one JSON object a line" },
  },
  examples: [
    "troupe logs research-assistant --follow --agent searcher",
    "troupe logs research-assistant --trace 1a2b3c4d --json",
  ],

  async run({ positionals: [named = ""], options, io }) {
    const { agentOf, statusOf } = await import("../../jobs/deployed-job.ts");
    const { hexPrefix } = await import("../../traces/store/find-trace.ts");
    const lines = wholeNumber(options.lines ?? "100", "--lines", 0, MOST_LINES);
    const status = await statusOf(named);
    const { job } = status;
    const agent = options.agent === undefined ? undefined : agentOf(status, options.agent).id;
    const trace = options.trace === undefined ? undefined : hexPrefix(options.trace, "trace id", 32);
    const target = await deployedTarget();
    for await (const line of target.logs({ job, agent, trace, lines, follow: options.follow === true }, io)) {
      io.print(options.json === true ? JSON.stringify(line) : describeLine(line));
    }
  },
});

export function describeLine({ time, level, agent, message, traceId }: LogLine): string {
  const trace = traceId === null ? "" : ` trace=${traceId.slice(0, 8)}`;
  return `${time ?? ""} ${level.padEnd(5)} ${agent ?? "-"}: ${manyLines(message)}${trace}`.trimStart();
}
