// troupe sessions export: prints a whole conversation, to be kept or read elsewhere.
import { defineCommand } from "../../terminal/command.ts";
import { conversations } from "../../sessions/conversations.ts";
import { exportJson } from "../../sessions/export-json.ts";
import { toMarkdown } from "../../sessions/markdown.ts";
import { oneOf } from "../../traces/options.ts";
import { chooseSession, JOB_OPTION, unreachedError } from "./choose-sessions.ts";

const FORMATS = ["json", "markdown"];

export default defineCommand({
  name: "sessions export",
  summary: "Print all of a conversation as JSON or Markdown",
  usage: "<session>",
  positionals: [1, 1],
  options: {
    job: JOB_OPTION,
    format: {
      type: "string",
      value: "FORMAT",
      description: "json (default): every step of every agent; markdown: questions and answers",
    },
  },
  examples: [
    "troupe sessions export 1a2b3c4d > session.json",
    "troupe sessions export 1a2b3c4d --format markdown > session.md",
  ],

  async run({ positionals: [wanted = ""], options, io }) {
    const format = oneOf(options.format ?? "json", "--format", FORMATS);
    const { session, gathered } = await chooseSession(wanted, options.job, io);
    if (format === "json") await exportJson(session, gathered.unreached, (text) => io.write(text));
    else io.print(toMarkdown(session, await conversations(session, gathered.agents)));
    const missing = unreachedError(gathered, "What some agents remember is missing.");
    if (missing) throw missing;
  },
});
