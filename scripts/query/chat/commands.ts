// The commands of a conversation, as data: one entry is one command.
import { writeFile } from "node:fs/promises";

import { tokensOf } from "#shared/budget/usage.ts";
import { nearest } from "#shared/text/nearest.ts";

import { showAgentBudgets } from "../../jobs/show-budgets.ts";
import { showModels } from "../../jobs/show-models.ts";
import { deployedPlan, statusOf } from "../../jobs/deployed-job.ts";
import { describeStatus } from "../../jobs/show-status.ts";
import { CliError } from "../../terminal/cli-error.ts";
import { wholeNumber } from "../../terminal/flag-values.ts";
import { troupe } from "../../terminal/hint.ts";
import { table } from "../../terminal/io.ts";
import { drawSessions } from "../../sessions/draw.ts";
import { firstWords } from "../../sessions/first-words.ts";
import { describeFork, forkSession } from "../../sessions/fork-session.ts";
import { findSession, gather, operatorsOf } from "../../sessions/gather.ts";
import { screenOf } from "../../terminal/screen.ts";
import { hasCode } from "../../terminal/system-error.ts";
import { cutTo, oneLine } from "../../terminal/terminal-text.ts";
import { cost, count, tokens } from "../../traces/amounts.ts";
import { showTrace } from "../view/show-trace.ts";
import type { Conversation, Said } from "./conversation.ts";

interface ChatCommand {
  readonly name: string;
  /** Its argument, as shown in the help. */
  readonly usage?: string;
  readonly summary: string;
  /** What Tab offers as the argument. */
  words?(chat: Conversation): readonly string[];
  /** "quit" ends the conversation. Throws CliError for what the person can mend. */
  run(chat: Conversation, argument: string): Promise<"quit" | undefined | void> | void;
}

const MAX_LISTED = 60;
const MOST_SESSIONS = 10;
const MOST_TURNS = 1_000_000;
/** Terminals take no more at a time (xterm: 100,000 characters of base64). */
const MOST_COPIED = 74_000;

const CHAT_COMMANDS: readonly ChatCommand[] = [
  { name: "help", summary: "Print this", run: ({ io }) => io.note(helpText()) },
  {
    name: "agents",
    summary: "The agents of the job, and how they are",
    run: async ({ io, with: { job } }) => io.note(describeStatus(await statusOf(ofJob(job)))),
  },
  {
    name: "agent",
    usage: "<id>",
    summary: "Speak to another agent of the job",
    words: agentIds,
    run: (chat, id) => {
      if (id === "") return chat.io.note(`You are talking to ${chat.with.name}.`);
      chat.speakTo(id);
      chat.io.note(`You are talking to ${chat.with.name} now. This is a new session.`);
    },
  },
  {
    name: "session",
    summary: "The session, and how to come back",
    run: ({ io, session, wayBack, said }) =>
      io.note(
        session === undefined
          ? "The session begins with the first answer."
          : `Session ${oneLine(session)}, ${count(said.length, "answer")}.\nCome back: ${wayBack ?? ""}`,
      ),
  },
  {
    name: "sessions",
    summary: "The last sessions of the job",
    run: async ({ io, with: { job } }) => {
      const { sessions } = await gather(await operatorsOf(ofJob(job), io));
      const last = sessions.slice(0, MOST_SESSIONS);
      if (last.length === 0) return io.note("There is no session yet.");
      io.note(drawSessions(last, await firstWords(last), screenOf(process.stderr), Date.now()).join("\n"));
    },
  },
  {
    name: "fork",
    usage: "[turn]",
    summary: "Go on in a copy of this session up to a turn",
    run: async (chat, typed) => {
      const turn = typed === "" ? undefined : wholeNumber(typed, "/fork", 1, MOST_TURNS);
      const gathered = await gather(await operatorsOf(ofJob(chat.with.job), chat.io));
      const session = findSession([gathered], lastSession(chat));
      const forked = await forkSession(session, gathered, { turn, agent: chat.with.name });
      const { wayBack } = chat;
      await chat.moveTo(forked.to);
      chat.io.note([...describeFork(forked), `You are in the copy now. Back: ${wayBack ?? ""}`].join("\n"));
    },
  },
  {
    name: "clear",
    summary: "Begin a new session",
    run: (chat) => {
      const { wayBack } = chat;
      chat.clear();
      chat.io.note(`A new session begins.${wayBack === undefined ? "" : ` The old one: ${wayBack}`}`);
    },
  },
  {
    name: "compact",
    usage: "[what to keep]",
    summary: "Shorten what the agent remembers",
    run: async (chat, focus) => chat.ask(`/compact ${focus}`.trim()),
  },
  {
    name: "trace",
    summary: "Draw what was done for the answer",
    run: async ({ io, with: { job }, said }) => {
      const { traceId } = lastSaid(said);
      if (traceId === null) io.note("The trace of this answer is not known: it is from an earlier run.");
      else await showTrace(ofJob(job), traceId, io);
    },
  },
  { name: "cost", summary: "Tokens and cost of this run", run: (chat) => chat.io.note(costs(chat)) },
  {
    name: "budget",
    summary: "What each agent may spend",
    run: async ({ io, with: { job } }) => io.note(showAgentBudgets(await deployedPlan(ofJob(job)))),
  },
  {
    name: "model",
    summary: "The agents' models and their prices",
    run: async ({ io, with: { job } }) => io.note(showModels(await deployedPlan(ofJob(job)))),
  },
  {
    name: "save",
    usage: "[file]",
    summary: "Write it all to a Markdown file",
    run: async (chat, file) => chat.io.note(`Saved as ${await save(chat, file)}.`),
  },
  { name: "copy", summary: "Copy the last answer", run: (chat) => copy(chat) },
  {
    name: "retry",
    summary: "Ask the last question again",
    run: async (chat) => {
      if (chat.asked === undefined) throw new CliError("failed", "Nothing has been asked yet.");
      await chat.ask(chat.asked);
    },
  },
  { name: "quit", summary: "Leave, as does Ctrl-D", run: async () => "quit" },
];

const NAMES = CHAT_COMMANDS.map(({ name }) => `/${name}`);

/** Runs a line that begins with a slash and a word; undefined for a message to the agent. */
export async function runCommand(chat: Conversation, line: string): Promise<"quit" | "done" | undefined> {
  const [, typed = "", argument = ""] = /^\/([a-z]{1,20})(?:\s+([^]*))?$/.exec(line.trim()) ?? [];
  if (typed === "") return undefined;
  const command = CHAT_COMMANDS.find(({ name }) => name === typed);
  if (command === undefined) {
    const close = nearest(`/${typed}`, NAMES);
    chat.io.note(
      `There is no /${typed} here. ${close === undefined ? "/help lists all commands." : `Did you mean ${close}?`}`,
    );
    return "done";
  }
  return (await command.run(chat, argument.trim())) ?? "done";
}

/** What Tab offers: commands, their arguments, and names of agents in a message. */
export function wordsFor(chat: Conversation, before: string): readonly string[] {
  if (/^\/\S*$/.test(before)) return NAMES;
  const [, name] = /^\/([a-z]+)\s+\S*$/.exec(before) ?? [];
  const command = CHAT_COMMANDS.find((known) => known.name === name);
  if (command !== undefined) return command.words?.(chat) ?? [];
  return /\S$/.test(before) ? agentIds(chat) : [];
}

function helpText(): string {
  const rows = CHAT_COMMANDS.map(({ name, usage = "", summary }) => [`/${name} ${usage}`.trimEnd(), summary]);
  return `${table(rows)}

Everything else goes to the agent. Text that you type while
it works is sent after its answer.
Enter sends. For another line: \\ before Enter, Alt-Enter or
Ctrl-J. Pasted text keeps its lines.
Up and Ctrl-R find earlier messages. Tab completes names.
Ctrl-C cancels a question, a second one leaves, as Ctrl-D.`;
}

function agentIds({ with: { status } }: Conversation): readonly string[] {
  return (status?.agents ?? []).map(({ id }) => id);
}

function ofJob(job: string | undefined): string {
  if (job !== undefined) return job;
  throw new CliError("failed", "This agent was named by its URL: Troupe knows no more of it than it says itself.");
}

function lastSaid(said: readonly Said[]): Said {
  const last = said.at(-1);
  if (last !== undefined) return last;
  throw new CliError("failed", "Nothing has been answered yet.");
}

function lastSession({ session }: Conversation): string {
  if (session !== undefined) return session;
  throw new CliError("failed", "The session begins with the first answer.");
}

function costs({ said, spent: { usage, costUsd } }: Conversation): string {
  const known = said.filter((turn) => turn.usage !== null);
  if (known.length === 0) return "Nothing has been answered in this run yet.";
  const rows = known.map((turn) => [
    cutTo(oneLine(turn.question), MAX_LISTED),
    turn.usage === null ? "" : tokens(tokensOf(turn.usage)),
    cost(turn.costUsd),
  ]);
  return table(
    [["QUESTION", "TOKENS", "COST"], ...rows, ["all of this run", tokens(tokensOf(usage)), cost(costUsd)]],
    new Set([1, 2]),
  );
}

/** Writes a new file, and returns its name. */
async function save({ said, session, with: { name, job } }: Conversation, wanted: string): Promise<string> {
  lastSaid(said);
  const file = wanted === "" ? `${job ?? name}-${(session ?? "").slice(0, 8)}.md`.replaceAll(/[^\w.-]/g, "-") : wanted;
  const turns = said.map(({ question, answer }) => `## You\n\n${question}\n\n## ${name}\n\n${answer}\n`);
  try {
    // An existing file is not written over.
    await writeFile(file, [`# ${job ?? name}\n\nSession ${session ?? ""}\n`, ...turns].join("\n"), {
      flag: "wx",
      mode: 0o600,
    });
    return file;
  } catch (error) {
    if (hasCode(error, "EEXIST")) throw new CliError("failed", `${file} exists already. Name another: /save FILE`);
    if (hasCode(error, "ENOENT")) throw new CliError("failed", `There is no folder for ${file}.`);
    if (hasCode(error, "EACCES") || hasCode(error, "EISDIR"))
      throw new CliError("failed", `${file} cannot be written.`);
    throw error;
  }
}

/** By OSC 52 (https://invisible-island.net/xterm/ctlseqs), which also reaches over ssh. */
function copy({ io, said }: Conversation): void {
  const { answer } = lastSaid(said);
  const bytes = Buffer.from(answer);
  if (io.live === undefined) return io.note("This terminal cannot copy: it takes no escape sequences.");
  if (bytes.length > MOST_COPIED)
    return io.note(`The answer is too long to be copied (${bytes.length} bytes). Write it to a file: /save`);
  io.live.above(() => process.stderr.write(`\x1b]52;c;${bytes.toString("base64")}\x07`));
  io.note("Copied, if your terminal allows it.");
}

/** For the end of a conversation: how to come back to each session of this run. */
export function goodbye({ waysBack, with: { job } }: Conversation): string | undefined {
  const [last, ...earlier] = waysBack.toReversed();
  if (last === undefined) return undefined;
  const again = job === undefined ? "" : `\nor go on with the last one: ${troupe`chat ${job}`}`;
  const others = earlier.map(({ session, command }) => `\nSession ${oneLine(session)}: ${command}`).join("");
  return `Session ${oneLine(last.session)}\nCome back: ${last.command}${again}${others}`;
}
