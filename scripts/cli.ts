// The `troupe` command: finds the verb, runs it, and turns the outcome into an exit code. Only this file exits.
import { suggest } from "#shared/text/nearest.ts";

import { COMPLETE } from "./completion/shells.ts";
import { CliError, exitCodeOf } from "./terminal/cli-error.ts";
import type { Command, CommandGroup, Commands } from "./terminal/command.ts";
import { commandHelp, generalHelp, groupHelp } from "./terminal/help.ts";
import { prefix } from "./terminal/hint.ts";
import { listenForSignals } from "./terminal/interruption.ts";
import { type Io, terminal } from "./terminal/io.ts";
import { keepPrivate } from "./project/private-folder.ts";
import { keepLoopbackDirect } from "./project/proxy.ts";
import { troupeHome } from "./project/project.ts";
import { inWords } from "./terminal/system-error.ts";
import { manyLines } from "./terminal/terminal-text.ts";

const COMMANDS: Commands = {
  start: () => import("./commands/deployment/start.ts"),
  validate: () => import("./commands/jobs/validate.ts"),
  plan: () => import("./commands/jobs/plan.ts"),
  deploy: () => import("./commands/deployment/deploy.ts"),
  dev: () => import("./commands/development/dev.ts"),
  list: () => import("./commands/jobs/list.ts"),
  status: () => import("./commands/deployment/status.ts"),
  logs: () => import("./commands/deployment/logs.ts"),
  query: () => import("./commands/query/query.ts"),
  chat: () => import("./commands/query/chat.ts"),
  approvals: () => import("./commands/query/approvals.ts"),
  sessions: () => import("./commands/sessions/sessions.ts"),
  traces: () => import("./commands/traces/traces.ts"),
  keys: () => import("./commands/keys/keys.ts"),
  stop: () => import("./commands/deployment/stop.ts"),
  restart: () => import("./commands/deployment/restart.ts"),
  history: () => import("./commands/deployment/history.ts"),
  rollback: () => import("./commands/deployment/rollback.ts"),
  cleanup: () => import("./commands/deployment/cleanup.ts"),
  completion: () => import("./commands/terminal/completion.ts"),
};

const HELP = new Set(["help", "--help", "-h"]);
const VERSION = new Set(["version", "--version", "-V"]);

async function main(argv: readonly string[], io: Io): Promise<void> {
  const [verb] = argv;
  if (verb !== undefined && VERSION.has(verb)) return io.print(`troupe ${await version()}`);
  if (verb === COMPLETE) {
    const { candidates } = await import("./completion/candidates.ts");
    // The words follow `--`.
    return io.print((await candidates(COMMANDS, argv.slice(2))).join("\n"));
  }
  const asked = verb !== undefined && HELP.has(verb);
  const { command, args } = await find(asked ? argv.slice(1) : argv);
  if (command === undefined) return io.print(generalHelp(await loadAll(COMMANDS)));
  if ("commands" in command) return io.print(groupHelp(command, await loadAll(command.commands)));
  const end = args.indexOf("--");
  const flags = end < 0 ? args : args.slice(0, end);
  if (asked || flags.includes("--help") || flags.includes("-h")) return io.print(commandHelp(command));
  await keepPrivate(troupeHome());
  await command.run(args, io);
}

/** Follows the words to a command and its arguments. The result is a group, or undefined, where the words end too early. */
async function find(argv: readonly string[]) {
  let [command, commands, args]: [Command | CommandGroup | undefined, Commands, readonly string[]] = [
    undefined,
    COMMANDS,
    argv,
  ];
  for (;;) {
    const [word, ...rest] = args;
    if (word === undefined || HELP.has(word)) return { command, args };
    const load = Object.hasOwn(commands, word) ? commands[word] : undefined;
    if (load === undefined) {
      const typed = command === undefined ? word : `${command.name} ${word}`;
      throw new CliError(
        "bad_input",
        `There is no command "${typed}". ${suggest(word, Object.keys(commands))}`,
        `Run: ${prefix()} ${command === undefined ? "" : `${command.name} `}--help`,
      );
    }
    command = (await load()).default;
    args = rest;
    if (!("commands" in command)) return { command, args };
    commands = command.commands;
  }
}

async function loadAll(commands: Commands): Promise<(Command | CommandGroup)[]> {
  const modules = await Promise.all(Object.values(commands).map(async (load) => load()));
  return modules.map((module) => module.default);
}

async function version(): Promise<string> {
  const { default: about } = await import("../package.json", { with: { type: "json" } });
  return about.version;
}

function report(error: unknown, io: Io, interrupted: number): number {
  if (error instanceof CliError) {
    // A message may quote logs, agents and typed text.
    for (const text of [error.message, error.next]) if (text !== "") io.note(manyLines(text));
    return error.code === "interrupted" ? interrupted : exitCodeOf(error.code);
  }
  if (io.signal.aborted) return interrupted;
  const refusal = inWords(error, troupeHome());
  if (refusal !== undefined) return report(refusal, io, interrupted);
  // A bug: the stack says where.
  io.note(manyLines(error instanceof Error ? (error.stack ?? error.message) : String(error)));
  return exitCodeOf("failed");
}

// Files hold answers, logs and secrets: only their owner may read them.
process.umask(0o077);
keepLoopbackDirect(process.env);
const interruption = listenForSignals();
// A closed stderr does not end the work.
process.stderr.on("error", () => {});
const io = terminal(interruption.signal);
// A closed pipe (`troupe logs | head`) is no failure; a full disk behind `>` is one.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : report(error, io, interruption.exitCode));
});
try {
  await main(process.argv.slice(2), io);
} catch (error) {
  process.exitCode = report(error, io, interruption.exitCode);
}
