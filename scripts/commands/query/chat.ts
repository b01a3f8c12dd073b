// troupe chat: a conversation with a job in the terminal.
import { CliError } from "../../terminal/cli-error.ts";
import { defineCommand } from "../../terminal/command.ts";
import { LONGEST_WAIT_MS, timeOf } from "../../terminal/flag-values.ts";
import { troupe } from "../../terminal/hint.ts";
import { FILE_OPTION, filesOf } from "../../query/typed/file-option.ts";

export default defineCommand({
  name: "chat",
  summary: "Talk to a job, from where you left it",
  usage: "<job|url>",
  positionals: [1, 1],
  options: {
    agent: { type: "string", value: "ID", description: "Talk to this agent instead of the entry point" },
    session: { type: "string", value: "ID", description: "Go on with this session instead of the last one" },
    new: { type: "boolean", description: "Begin a new session" },
    file: { ...FILE_OPTION, description: "Send this file along with the first message; may be repeated" },
    timeout: { type: "string", value: "TIME", description: "Cancel a question after this, such as 90s (default 10m)" },
  },
  examples: [
    "troupe chat research-assistant",
    "troupe chat research-assistant --new --file notes.md",
    "troupe chat https://agent.example.org",
  ],

  async run({ positionals: [named = ""], options, io }) {
    const timeoutMs = timeOf(options.timeout ?? "10m", "--timeout", { least: 1, most: LONGEST_WAIT_MS });
    const { session, new: anew = false } = options;
    if (session !== undefined && anew)
      throw new CliError("bad_input", "--session goes on with a session, --new begins one: leave one of them out.");
    if (!io.interactive)
      throw new CliError(
        "bad_input",
        "A conversation needs a terminal: stdin, stdout and stderr.",
        `Ask one question: ${troupe`query ${named} "…"`}, or through a pipe: ${troupe`query ${named} -`}`,
      );
    const { addressed } = await import("../../query/addressed.ts");
    const { chat } = await import("../../query/chat/chat.ts");
    const to = await addressed(named, options.agent);
    await chat({ with: to, session, timeoutMs, files: await filesOf(options.file), anew }, io);
  },
});
