// The `troupe` command: finds the verb, runs it, and turns its outcome into an exit code. Only this file exits.
import { suggest } from "#shared/text/nearest.ts";

import { CliError, exitCodeOf } from "./cli-error.ts";
import type { Command } from "./command.ts";
import { commandHelp, generalHelp } from "./help.ts";
import { type Io, terminal } from "./io.ts";

const COMMANDS: Readonly<Record<string, () => Promise<{ readonly default: Command }>>> = {
  start: () => import("./commands/start.ts"),
  validate: () => import("./commands/validate.ts"),
  plan: () => import("./commands/plan.ts"),
  deploy: () => import("./commands/deploy.ts"),
  list: () => import("./commands/list.ts"),
  status: () => import("./commands/status.ts"),
  logs: () => import("./commands/logs.ts"),
  query: () => import("./commands/query.ts"),
  stop: () => import("./commands/stop.ts"),
  restart: () => import("./commands/restart.ts"),
  cleanup: () => import("./commands/cleanup.ts"),
};

async function main(argv: readonly string[], io: Io): Promise<void> {
  const [verb, ...args] = argv;
  if (verb === undefined || verb === "help" || verb === "--help" || verb === "-h") {
    const wanted = args[0];
    return wanted === undefined
      ? io.print(generalHelp(await allCommands()))
      : io.print(commandHelp(await find(wanted)));
  }
  const command = await find(verb);
  const end = args.indexOf("--");
  const flags = end < 0 ? args : args.slice(0, end);
  if (flags.includes("--help") || flags.includes("-h")) return io.print(commandHelp(command));
  await command.run(args, io);
}

async function find(verb: string): Promise<Command> {
  const load = Object.hasOwn(COMMANDS, verb) ? COMMANDS[verb] : undefined;
  if (load === undefined) {
    throw new CliError(
      "bad_input",
      `There is no command "${verb}". ${suggest(verb, Object.keys(COMMANDS))}`,
      "Run: troupe --help",
    );
  }
  return (await load()).default;
}

async function allCommands(): Promise<Command[]> {
  const modules = await Promise.all(Object.values(COMMANDS).map(async (load) => load()));
  return modules.map((module) => module.default);
}

function report(error: unknown, io: Io): number {
  if (error instanceof CliError) {
    if (error.message !== "") io.note(error.message);
    if (error.next !== "") io.note(error.next);
    return exitCodeOf(error.code);
  }
  if (io.signal.aborted) return exitCodeOf("interrupted");
  // A bug, not a failure that was foreseen: the stack says where.
  io.note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return exitCodeOf("failed");
}

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    // The second time nothing is waited for.
    if (interruption.signal.aborted) process.exit(exitCodeOf("interrupted"));
    interruption.abort(new CliError("interrupted", "Interrupted."));
  });
}
// A reader that has seen enough (`troupe logs | head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

const io = terminal(interruption.signal);
try {
  await main(process.argv.slice(2), io);
} catch (error) {
  process.exitCode = report(error, io);
}
