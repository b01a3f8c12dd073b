// troupe completion: prints what makes a shell complete commands, flags, jobs, agents and sessions.
import { suggest } from "#shared/text/nearest.ts";

import { CliError } from "../../terminal/cli-error.ts";
import { defineCommand } from "../../terminal/command.ts";
import { scriptFor, SHELLS } from "../../completion/shells.ts";

export default defineCommand({
  name: "completion",
  summary: "Print what makes your shell complete commands, flags, jobs and agents",
  usage: "<bash|zsh|fish>",
  positionals: [1, 1],
  options: {},
  examples: ['eval "$(troupe completion bash)"', "troupe completion fish | source"],

  async run({ positionals: [wanted = ""], io }) {
    const shell = SHELLS.find((known) => known === wanted);
    if (shell === undefined)
      throw new CliError("bad_input", `There is no completion for "${wanted}". ${suggest(wanted, SHELLS)}`);
    io.print(scriptFor(shell));
  },
});
