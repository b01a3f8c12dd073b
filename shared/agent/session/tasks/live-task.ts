// A task that is live in this isolate, because its turn waits, runs or is suspended: its latest row, its watchers, its cancellation.
import type { Artifact, Message, StreamResponse } from "@a2a-js/sdk";
import type { Approval } from "../../../loop/log/approval.ts";
import type { CodeQuestion } from "../../../loop/log/ledger.ts";
import { answerEvent, artifactEvent, statusEvent, taskEvent, type TaskView } from "./task-view.ts";
import { EventQueue } from "./event-queue.ts";
import type { TaskRow } from "./task-row.ts";

/** What the log keeps of a task. */
export interface KeptOfTask {
  readonly history: (id: string, row: TaskRow) => readonly Message[];
  readonly artifacts: (row: TaskRow) => readonly Artifact[];
}

interface Watch {
  readonly toRest: boolean;
  readonly pieces?: boolean;
  readonly historyLength?: number | undefined;
  /** Aborts when the watcher has gone. */
  readonly gone?: AbortSignal | undefined;
}

export class LiveTask {
  readonly id: string;
  readonly question: string;
  readonly #kept: KeptOfTask;
  row: TaskRow;
  /** An earlier life had begun it, and the spans of that life may be lost. */
  isUnheard = false;
  /** The approvals that it waits for. */
  approvals: readonly Approval[] = [];
  #question: CodeQuestion | undefined;
  #says: string | undefined;
  /** Artifacts of which more is to come. */
  readonly #unfinished = new Map<string, Artifact>();
  readonly #announced = Promise.withResolvers<void>();
  /** Clients may have seen the task. */
  isAnnounced = false;
  #saidTimes = 0;
  readonly #abort = new AbortController();
  /** Those who watch, and whether they want the answer piece by piece. */
  readonly #queues = new Map<EventQueue<StreamResponse>, { readonly pieces: boolean }>();
  #rest = Promise.withResolvers<void>();
  #answer = "";
  #replace = false;
  #over = false;

  constructor(id: string, row: TaskRow, question: string, kept: KeptOfTask) {
    this.id = id;
    this.row = row;
    this.question = question;
    this.#kept = kept;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Settles when the task has ended, or waits for answers. */
  get atRest(): Promise<void> {
    return this.#rest.promise;
  }

  /** Settles when the agent has let the task be seen: it says, gives or asks something, calls a tool, or has ended. */
  get announced(): Promise<void> {
    return this.#announced.promise;
  }

  announce(): void {
    this.isAnnounced = true;
    this.#announced.resolve();
  }

  cancel(): void {
    this.#abort.abort(new Error("The task was canceled."));
  }

  /** The task as it stands, with the answer streamed so far. */
  get view(): TaskView {
    return {
      id: this.id,
      history: () => this.#kept.history(this.id, this.row),
      artifacts: () => {
        const kept = this.#kept.artifacts(this.row);
        return [...kept.filter(({ artifactId }) => !this.#unfinished.has(artifactId)), ...this.#unfinished.values()];
      },
      row: { ...this.row, answer: this.row.answer ?? (this.#answer || null) },
      approvals: this.approvals,
      question: this.#question,
      says: this.#says,
      saidTimes: this.#saidTimes,
    };
  }

  /**
   * The snapshot, then all events until the task ends. `toRest`: or until it waits for approvals, which ends the stream of whoever sent
   * the message (A2A 1.0, section 3.1.2). `pieces`: the answer as it comes, or else whole at its end.
   */
  watch({ toRest, pieces = true, historyLength, gone }: Watch): AsyncGenerator<StreamResponse, void, undefined> {
    const queue = new EventQueue<StreamResponse>();
    queue.push(taskEvent(this.view, historyLength));
    const isAtRest = this.#over || (toRest && (this.approvals.length > 0 || this.#question !== undefined));
    if (isAtRest) queue.close();
    else if (toRest) void this.atRest.then(() => queue.close());
    this.#queues.set(queue, { pieces });
    gone?.addEventListener("abort", () => queue.close(), { once: true });
    return this.#read(queue);
  }

  async *#read(queue: EventQueue<StreamResponse>): AsyncGenerator<StreamResponse, void, undefined> {
    try {
      yield* queue.events();
    } finally {
      this.#queues.delete(queue);
    }
  }

  /** What was streamed so far is no longer part of the answer. */
  restartAnswer(): void {
    this.#replace = true;
    this.#unfinished.clear();
  }

  appendAnswer(text: string): void {
    const append = !this.#replace && this.#answer !== "";
    this.#answer = append ? this.#answer + text : text;
    this.#replace = false;
    this.announce();
    if (this.#queues.size > 0) this.#publishPiece(answerEvent(this.id, this.row, text, append ? "next" : "first"));
  }

  /** Tells those who look at the task why its turn waits, or what it does. */
  say(words: string): void {
    this.#says = words;
    this.#saidTimes++;
    this.announce();
    if (this.#queues.size > 0) this.#publish(statusEvent(this.view));
  }

  /** Its turn works. */
  begin(): void {
    this.#says = undefined;
  }

  /** The artifact is kept as it was before. */
  dropUnfinished(artifactId: string): void {
    this.#unfinished.delete(artifactId);
  }

  /** `whole`: all parts so far; `piece`: those that are new. */
  addToArtifact(whole: Artifact, piece: Artifact, append: boolean): void {
    this.#unfinished.set(whole.artifactId, whole);
    this.announce();
    this.#publishPiece(artifactEvent(this.id, this.row, piece, append, false));
  }

  /** The artifact is whole, and kept. */
  completeArtifact(artifact: Artifact): void {
    this.#unfinished.delete(artifact.artifactId);
    this.announce();
    this.#publish(artifactEvent(this.id, this.row, artifact, false, true));
  }

  /** Publishes a change of the task. */
  update(row: TaskRow): void {
    this.row = row;
    if (this.#queues.size > 0) this.#publish(statusEvent(this.view));
  }

  /** Its turn is suspended until these are answered. */
  suspend(row: TaskRow, approvals: readonly Approval[], question?: CodeQuestion): void {
    this.approvals = approvals;
    this.#question = question;
    this.#says = undefined;
    this.announce();
    this.update(row);
    this.#rest.resolve();
  }

  /** What it waited for is answered: from now on, atRest is the next rest. */
  resume(): void {
    this.approvals = [];
    this.#question = undefined;
    this.#rest = Promise.withResolvers<void>();
  }

  /** Publishes the end, and ends all streams. */
  finish(row: TaskRow): void {
    this.approvals = [];
    this.#question = undefined;
    this.#says = undefined;
    this.#unfinished.clear();
    this.announce();
    // Some clients keep only the event that says lastChunk: it holds the whole answer.
    if (row.answer !== null && this.#queues.size > 0) this.#publish(answerEvent(this.id, row, row.answer, "whole"));
    // The task has no answer: what was streamed of one is withdrawn.
    if (row.answer === null && this.#answer !== "") {
      this.#answer = "";
      this.#publishPiece(answerEvent(this.id, row, "", "whole"));
    }
    this.update(row);
    this.#over = true;
    for (const queue of this.#queues.keys()) queue.close();
    this.#rest.resolve();
  }

  #publish(event: StreamResponse): void {
    for (const queue of this.#queues.keys()) queue.push(event);
  }

  #publishPiece(event: StreamResponse): void {
    for (const [queue, { pieces }] of this.#queues) if (pieces) queue.push(event);
  }
}
