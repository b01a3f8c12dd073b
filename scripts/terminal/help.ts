// Help texts, made from the definitions of commands.
import type { Command, CommandGroup } from "./command.ts";
import { prefix } from "./hint.ts";
import { table } from "./io.ts";

export function generalHelp(commands: readonly (Command | CommandGroup)[]): string {
  return `troupe: deploys jobs of cooperating agents and talks to them

Usage: troupe <command> [arguments]

${overview(commands)}
  --version  Print the version

A <job> is the name of a file in jobs/, the name of a deployed job, or the path of a file.
A <url> is the address of any A2A agent, or of its card.
State is kept in .troupe, or in the folder that TROUPE_HOME names.
Exit codes: 0 done, 1 failed, 2 bad input, 3 waiting for an answer, 130 interrupted (143 by SIGTERM, 129 by SIGHUP).
Help on a command: ${prefix()} <command> --help`;
}

export function groupHelp({ name, summary }: CommandGroup, commands: readonly (Command | CommandGroup)[]): string {
  return `${summary}

Usage: troupe ${name} <command> [arguments]

${overview(commands)}

Help on a command: ${prefix()} ${name} <command> --help`;
}

export function commandHelp({ name, usage, summary, options, examples = [] }: Command): string {
  const rows = [
    ...Object.entries(options).map(([flag, { value, description }]) => [
      `  --${flag}${value === undefined ? "" : ` ${value}`}`,
      description,
    ]),
    ["  --help", "Print this"],
  ];
  const shown =
    examples.length === 0
      ? ""
      : `\n\nExamples:\n${examples.map((line) => `  ${line.replace(/\btroupe /, () => `${prefix()} `)}`).join("\n")}`;
  return `${summary}

Usage: ${`troupe ${name} ${usage}`.trimEnd()}

${table(rows)}${shown}`;
}

function overview(commands: readonly (Command | CommandGroup)[]): string {
  return table(
    commands.map((command) => {
      const usage = "commands" in command ? Object.keys(command.commands).join("|") : command.usage;
      return [`  ${`${command.name} ${usage}`.trimEnd()}`, command.summary];
    }),
  );
}
