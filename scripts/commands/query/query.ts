// troupe query: asks a job a question, opens a conversation, or resumes a task that waits for approvals.
import { CliError } from "../../terminal/cli-error.ts";
import { defineCommand } from "../../terminal/command.ts";
import { LONGEST_WAIT_MS, timeOf } from "../../terminal/flag-values.ts";
import { troupe } from "../../terminal/hint.ts";
import { type Io, printJson } from "../../terminal/io.ts";
import type { Request } from "../../query/ask.ts";
import type { AskOptions } from "../../query/print.ts";
import { FILE_OPTION, filesOf } from "../../query/typed/file-option.ts";
import { answersGiven, type GivenAnswers, saysAll } from "../../query/typed/given-answers.ts";

export default defineCommand({
  name: "query",
  summary: "Ask a job a question, also through a pipe; in a terminal, talk to it",
  usage: "<job|url> [question]",
  positionals: [1, 2],
  options: {
    agent: { type: "string", value: "ID", description: "Ask this agent instead of the entry point" },
    session: {
      type: "string",
      value: "ID",
      description: "Resume the session of an earlier answer (its contextId)",
    },
    task: {
      type: "string",
      value: "ID",
      description: "Show a task, and answer what it waits for: approvals, or a question by a text",
    },
    allow: {
      type: "string",
      value: "ID",
      multiple: true,
      description: "With --task: allow the approval of this id; all: every other one",
    },
    deny: {
      type: "string",
      value: "ID",
      multiple: true,
      description: "With --task: deny the approval of this id; all: every other one",
    },
    file: FILE_OPTION,
    reason: { type: "string", value: "TEXT", description: "With --deny: why, for the agent" },
    timeout: { type: "string", value: "TIME", description: "Cancel after this, such as 90s (default 10m)" },
    trace: { type: "boolean", description: "Draw below the answer what all agents did for it, on stderr" },
    json: {
      type: "boolean",
      description: "Print answer, ids, state and its reason, approvals, usage and duration as JSON",
    },
  },
  examples: [
    'troupe query research-assistant "What is a Durable Object?"',
    'troupe query research-assistant "And its limits?" --session ID',
    'troupe query research-assistant "What is workerd?" --trace',
    "git diff | troupe query research-assistant -",
    "troupe query approvals --task TASK --allow ID --deny ID",
    'troupe query research-assistant "What is in it?" --file notes.md',
    'troupe query https://agent.example.org "Who are you?"',
  ],

  async run({ positionals: [named = "", typed], options, io }) {
    const timeoutMs = timeOf(options.timeout ?? "10m", "--timeout", { least: 1, most: LONGEST_WAIT_MS });
    const { session, task, trace = false } = options;
    const given = { allow: options.allow ?? [], deny: options.deny ?? [], reason: options.reason };
    checkTogether({ typed, session, task, given });
    const { addressed } = await import("../../query/addressed.ts");
    const { askInTime, printAnswer, requireCompletion } = await import("../../query/print.ts");
    const to = await addressed(named, options.agent);
    const { job, url, agent, name } = to;
    const files = await filesOf(options.file);
    if (task === undefined && typed === undefined && io.interactive && options.json !== true) {
      const { chat } = await import("../../query/chat/chat.ts");
      return chat({ with: to, session, timeoutMs, files, anew: false }, io);
    }
    const asked: AskOptions = { job, url, agent, name, timeoutMs, trace };
    const fromStdin = task === undefined && (typed === undefined || typed === "-");
    const { pipedQuestion } = await import("../../query/typed/piped-question.ts");
    const text = fromStdin ? await pipedQuestion(process.stdin, named, io) : typed;
    const request: Request =
      task === undefined
        ? { is: "question", text: text ?? "", session, files }
        : typed === undefined
          ? await taskRequest(task, given, asked, io)
          : { is: "reply", taskId: task, text: typed, files };
    if (session !== undefined) {
      const { requireSession } = await import("../../query/past-turns.ts");
      await requireSession(to, session, io.signal);
    }
    if (options.json === true) {
      const answer = await askInTime(asked, request, io);
      printJson(io, { ...answer, reason: answer.reason === "" ? null : answer.reason });
      const { showTrace } = await import("../../query/view/show-trace.ts");
      if (trace && job !== undefined && answer.approvals.length === 0) await showTrace(job, answer.traceId, io);
      return requireCompletion(asked, answer);
    }
    const answer = await printAnswer(asked, request, io);
    requireCompletion(asked, answer);
    const { contextId } = answer;
    if (contextId !== "")
      io.note(`${io.interactive ? "" : "\n"}Go on: ${troupe`query ${job ?? url} "…" --session ${contextId}`}`);
  },
});

interface Typed {
  /** The question. */
  readonly typed: string | undefined;
  readonly session: string | undefined;
  readonly task: string | undefined;
  readonly given: GivenAnswers;
}

function checkTogether({ typed, session, task, given: { allow, deny, reason } }: Typed): void {
  if (typed?.trim() === "") throw new CliError("bad_input", "The question is empty.");
  if (task === undefined && allow.length + deny.length > 0)
    throw new CliError("bad_input", "--allow and --deny answer a task: name it with --task ID.");
  if (task !== undefined && typed !== undefined && allow.length + deny.length > 0)
    throw new CliError(
      "bad_input",
      "A text answers the agent's question, --allow and --deny answer its approvals: send one of them.",
    );
  if (task !== undefined && session !== undefined)
    throw new CliError("bad_input", "--task and --session cannot be used together: a task knows its session.");
  if (reason !== undefined && deny.length === 0)
    throw new CliError("bad_input", "--reason says why something is denied: it needs --deny ID.");
}

/** The request for --task: follow it, or send the typed answers. */
async function taskRequest(taskId: string, given: GivenAnswers, asked: AskOptions, io: Io): Promise<Request> {
  if (given.allow.length + given.deny.length === 0) return { is: "look", taskId };
  const { askInTime } = await import("../../query/print.ts");
  const { approvals, state } = saysAll(given)
    ? await askInTime(asked, { is: "look", taskId }, io)
    : { approvals: [], state: "" };
  const answers = answersGiven(given, approvals);
  if (answers.length === 0) throw new CliError("failed", `The task waits for no other approval: it is ${state}.`);
  return { is: "answers", taskId, answers, shown: "" };
}
