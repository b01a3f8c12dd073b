// A conversation with one agent at a time: its session, what was said in it, and what that cost.
import type { Part } from "@a2a-js/sdk";

import { addUsage, NO_USAGE, type Usage } from "#shared/budget/usage.ts";

import { CliError } from "../../terminal/cli-error.ts";
import { troupe } from "../../terminal/hint.ts";
import type { Io } from "../../terminal/io.ts";
import { manyLines } from "../../terminal/terminal-text.ts";
import { type Addressed, agentAt } from "../addressed.ts";
import type { Prompt } from "../ask-for-decisions.ts";
import type { Request } from "../ask.ts";
import { pastTurns } from "../past-turns.ts";
import { type Answered, type AskOptions, asksBack, printAnswer } from "../print.ts";
import { keepLastSession, lastSession } from "./last-session.ts";

export interface Said {
  readonly question: string;
  readonly answer: string;
  readonly traceId: string | null;
  readonly usage: Usage | null;
  readonly costUsd: number | null;
}

export interface Start {
  readonly with: Addressed;
  readonly session: string | undefined;
  readonly timeoutMs: number;
  /** Go with the first message. */
  readonly files: readonly Part[];
}

interface WayBack {
  readonly session: string;
  readonly command: string;
}

export class Conversation {
  readonly io: Io;
  readonly #prompt: Prompt;
  readonly #timeoutMs: number;
  #files: readonly Part[];
  /** The last message, answered or not. */
  #asked: string | undefined;
  #with: Addressed;
  #session: string | undefined;
  /** What was said in this session, oldest first; what was said before this run has no cost. */
  #said: Said[] = [];
  /** Over all sessions of this run. */
  #usage: Usage = NO_USAGE;
  #costUsd: number | null = null;
  #running: AbortController | undefined;
  /** The task whose agent waits for an answer in words: the next message is that. */
  #waiting: string | undefined;
  /** An approval is being asked about. */
  #isAsking = false;
  /** Sessions of this run that were left for others. */
  #left: readonly WayBack[] = [];

  constructor(start: Start, prompt: Prompt, io: Io) {
    [this.io, this.#timeoutMs] = [io, start.timeoutMs];
    this.#prompt = async (question, signal) => {
      this.#isAsking = true;
      return prompt(question, signal).finally(() => void (this.#isAsking = false));
    };
    [this.#with, this.#files] = [start.with, start.files];
  }

  get with(): Addressed {
    return this.#with;
  }

  get session(): string | undefined {
    return this.#session;
  }

  get said(): readonly Said[] {
    return this.#said;
  }

  /** The last message, answered or not; undefined before the first one. */
  get asked(): string | undefined {
    return this.#asked ?? this.#said.at(-1)?.question;
  }

  get spent(): { readonly usage: Usage; readonly costUsd: number | null } {
    return { usage: this.#usage, costUsd: this.#costUsd };
  }

  /** Sends a message and prints the answer. A failure, and an interruption, is shown and does not end the conversation. */
  async ask(text: string): Promise<void> {
    const files = this.#files;
    this.#asked = text;
    const waiting = this.#waiting;
    const answered = await this.#run(
      waiting === undefined
        ? { is: "question", text, session: this.#session, files }
        : { is: "reply", taskId: waiting, text, files },
    );
    if (answered === undefined) return;
    this.#files = [];
    this.#said.push({ ...answered, answer: asksBack(answered) ? answered.reason : answered.answer, question: text });
  }

  /** Cancels what runs, or leaves an approval without an answer. False where it does so already. */
  interrupt(): boolean {
    if (this.#running === undefined || this.#running.signal.aborted) return false;
    if (!this.#isAsking) this.io.note("\nCanceling …");
    this.#running.abort(new CliError("interrupted", "Interrupted."));
    return true;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Begins a new session. */
  clear(): void {
    this.#left = this.waysBack;
    [this.#session, this.#said, this.#waiting] = [undefined, [], undefined];
  }

  /** From now on another agent of the job is asked, in a new session. Throws CliError for an unknown one. */
  speakTo(id: string): void {
    const { status } = this.#with;
    if (status === undefined)
      throw new CliError("failed", "This agent was named by its URL: it has no job with others.");
    const next = agentAt(status, id);
    this.clear();
    this.#with = next;
  }

  /** Goes on with a session, and reads what was said in it before. False where the agent does not know it. */
  async resume(session: string): Promise<boolean> {
    const turns = await pastTurns(this.#with, session, this.io.signal);
    if (turns?.length === 0) return false;
    this.#session = session;
    this.#said = (turns ?? []).map(({ question, answer }) => ({
      question,
      answer,
      traceId: null,
      usage: null,
      costUsd: null,
    }));
    return true;
  }

  /** Leaves the session for another of the same agent. */
  async moveTo(session: string): Promise<void> {
    this.clear();
    await this.resume(session);
    await keepLastSession(keyOf(this.#with), session);
  }

  /** Goes on with a question that was left running, or waits for an approval. False where there is none. */
  async catchUp(session: string): Promise<boolean> {
    const turns = await pastTurns(this.#with, session, this.io.signal, 1);
    const last = turns?.at(-1);
    if (last === undefined || !OPEN.has(last.state)) return false;
    this.io.note(`\nYour last question is not answered yet:\n${manyLines(last.question)}`);
    const answered = await this.#run({ is: "look", taskId: last.taskId });
    if (answered !== undefined) this.#said.splice(-1, 1, { ...answered, question: last.question });
    return true;
  }

  /** How to come back, as a command; undefined before the first answer. */
  get wayBack(): string | undefined {
    const { job, url, agent } = this.#with;
    if (this.#session === undefined) return undefined;
    return agent === undefined
      ? troupe`chat ${job ?? url} --session ${this.#session}`
      : troupe`chat ${job ?? url} --agent ${agent} --session ${this.#session}`;
  }

  /** To each session of this run, the present one last. */
  get waysBack(): readonly WayBack[] {
    const [session, command] = [this.#session, this.wayBack];
    return session === undefined || command === undefined ? this.#left : [...this.#left, { session, command }];
  }

  async #run(request: Request): Promise<Answered | undefined> {
    const running = new AbortController();
    this.#running = running;
    const { job, url, agent, name } = this.#with;
    const onSession = (contextId: string) => void this.#keep(contextId);
    const asked: AskOptions = { job, url, agent, name, timeoutMs: this.#timeoutMs, onSession };
    const io = { ...this.io, signal: AbortSignal.any([this.io.signal, running.signal]) };
    try {
      const answered = await printAnswer(asked, request, io, this.#prompt);
      this.#count(answered);
      this.#waiting = asksBack(answered) ? answered.taskId : undefined;
      return answered;
    } catch (error) {
      if (!(error instanceof CliError) || this.io.signal.aborted) throw error;
      if (error.code !== "failed" && !running.signal.aborted) throw error;
      // An interruption has been reported, unless it came upon an approval.
      if (error.message !== "Interrupted.") this.io.note(manyLines([error.message, error.next].join("\n").trimEnd()));
      if (error.code === "interrupted" && error.next !== "") this.io.note("Another message here ends it with a no.");
      return undefined;
    } finally {
      this.#running = undefined;
    }
  }

  async #keep(contextId: string): Promise<void> {
    if (contextId === "" || contextId === this.#session) return;
    this.#session = contextId;
    await keepLastSession(keyOf(this.#with), contextId);
  }

  #count({ usage, costUsd }: Answered): void {
    if (usage !== null) this.#usage = addUsage(this.#usage, usage);
    if (costUsd !== null) this.#costUsd = (this.#costUsd ?? 0) + costUsd;
  }
}

const OPEN: ReadonlySet<string> = new Set(["submitted", "working", "input-required"]);

/** The session that was left last with this agent. */
export function lastWith(agent: Addressed) {
  return lastSession(keyOf(agent));
}

function keyOf({ job, url, name }: Addressed): string {
  return job === undefined ? url : `${job}/${name}`;
}
