// troupe traces list: lists the newest traces.
import { CliError } from "../../terminal/cli-error.ts";
import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { timeOf, wholeNumber } from "../../terminal/flag-values.ts";
import { troupe } from "../../terminal/hint.ts";
import { printJson } from "../../terminal/io.ts";
import { screenOf } from "../../terminal/screen.ts";
import { deployedTarget } from "../../targets/choose-target.ts";
import { chooseJobs } from "./choose-jobs.ts";
import { drawList } from "../../traces/draw/draw-list.ts";
import { newest } from "../../traces/store/find-trace.ts";
import { agoOf, jobNamed, oneOf } from "../../traces/options.ts";

const KINDS = ["query", "deploy", "lifecycle", "other", "all"];
const STATES = ["ok", "error", "open"];
const MOST = 1_000;

export default defineCommand({
  name: "traces list",
  summary: "List traces, the newest first",
  usage: "[job]",
  positionals: [0, 1],
  options: {
    kind: { type: "string", value: "KIND", description: `One of ${KINDS.join(", ")} (default query)` },
    agent: { type: "string", value: "ID", description: "Only traces in which this agent took part" },
    status: {
      type: "string",
      value: "STATE",
      description: "Only traces that are ok or open, or that have any error",
    },
    since: { type: "string", value: "TIME", description: "Only traces that began within this time, such as 1h" },
    slower: { type: "string", value: "TIME", description: "Only traces that took at least this long, such as 2s" },
    costlier: { type: "string", value: "USD", description: "Only traces that cost at least this, such as 0.05" },
    text: { type: "string", value: "TEXT", description: "Only traces whose question, answer or error contains this" },
    limit: { type: "string", value: "N", description: `How many at most (default 20, up to ${MOST})` },
    job: { type: "string", value: "JOB", description: "Same as [job]" },
    json: JSON_OPTION,
  },
  examples: ["troupe traces list research-assistant --since 1h", "troupe traces list --status error --kind all"],

  async run({ positionals, options, io }) {
    const named = jobNamed(positionals[0], options.job);
    const { kind = "query", agent, status, since, slower, costlier, text } = options;
    const limit = wholeNumber(options.limit ?? "20", "--limit", 1, MOST);
    if (costlier !== undefined && !/^\d{0,9}\.?\d{1,12}$/.test(costlier)) {
      throw new CliError("bad_input", `--costlier takes US dollars such as 0.05, not "${costlier}".`);
    }
    const filter = {
      ...(oneOf(kind, "--kind", KINDS) === "all" ? {} : { kind }),
      ...(agent === undefined ? {} : { agent }),
      ...(status === undefined ? {} : { status: oneOf(status, "--status", STATES) }),
      ...(since === undefined ? {} : { since: agoOf(since, "--since").toISOString() }),
      ...(slower === undefined ? {} : { minMs: String(timeOf(slower, "--slower")) }),
      ...(costlier === undefined ? {} : { minCost: costlier }),
      ...(text === undefined ? {} : { text }),
    };
    const jobs = await chooseJobs(named);
    const found = await (
      await deployedTarget()
    ).withTraces(jobs, io, async (stores) => newest(stores, filter, limit, io));
    if (options.json === true) {
      return printJson(io, { traces: found.map(({ store, summary }) => ({ job: store.job, ...summary })) });
    }
    if (found.length > 0) return io.print(drawList(found, screenOf(process.stdout), Date.now()).join("\n"));
    const filtered = Object.keys(filter).some((name) => name !== "kind");
    io.note(
      filtered
        ? "No trace matches. Leave flags out, or list all kinds: --kind all"
        : `There is no trace of this kind${named === undefined ? "" : ` of ${named}`}.`,
    );
    if (!filtered && kind === "query") io.note(`Ask something: ${troupe`query ${named ?? jobs[0] ?? ""} "…"`}`);
  },
});
