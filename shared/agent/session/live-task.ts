// A task whose turn waits or runs in this isolate: its latest row, who watches it, and how to stop it.
import type { StreamResponse } from "@a2a-js/sdk";
import { addUsage, NO_USAGE, type Usage } from "../../tracing/usage.ts";
import { answerEvent, statusEvent, taskEvent, type TaskView } from "./a2a-task.ts";
import { EventQueue } from "./event-queue.ts";
import type { TaskRow } from "./store.ts";

export class LiveTask {
  readonly id: string;
  readonly question: string;
  row: TaskRow;
  /** What the agents it asked have used. */
  peerUsage: Usage = NO_USAGE;
  /** Settles when the task has ended. */
  readonly ended: Promise<void>;
  readonly #end: () => void;
  readonly #abort = new AbortController();
  readonly #queues = new Set<EventQueue<StreamResponse>>();
  #answer = "";
  #replace = false;
  #over = false;

  constructor(id: string, row: TaskRow, question: string) {
    this.id = id;
    this.row = row;
    this.question = question;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  cancel(): void {
    this.#abort.abort(new Error("The task was canceled."));
  }

  /** The task as it stands, what has been streamed so far included. */
  get view(): TaskView {
    return {
      id: this.id,
      question: this.question,
      row: { ...this.row, answer: this.row.answer ?? (this.#answer || null) },
    };
  }

  /** The snapshot first, then everything that follows it, until the task ends. */
  async *watch(): AsyncGenerator<StreamResponse, void, undefined> {
    const queue = new EventQueue<StreamResponse>();
    queue.push(taskEvent(this.view));
    if (this.#over) queue.close();
    this.#queues.add(queue);
    try {
      yield* queue.events();
    } finally {
      this.#queues.delete(queue);
    }
  }

  /** Nothing streamed so far belongs to the answer any more. */
  restartAnswer(): void {
    this.#replace = true;
  }

  appendAnswer(text: string): void {
    const append = !this.#replace && this.#answer !== "";
    this.#answer = append ? this.#answer + text : text;
    this.#replace = false;
    this.#publish(answerEvent(this.id, this.row, text, append));
  }

  addPeerUsage(usage: Usage): void {
    this.peerUsage = addUsage(this.peerUsage, usage);
  }

  /** Moves on to another state that is not the last. */
  update(row: TaskRow): void {
    this.row = row;
    this.#publish(statusEvent(this.id, row));
  }

  /** Publishes the end and lets everyone who watches go. */
  finish(row: TaskRow): void {
    if (row.answer !== null && row.answer !== this.#answer)
      this.#publish(answerEvent(this.id, row, row.answer, false, true));
    // What was streamed of an answer that never came is no answer.
    if (row.answer === null) this.#answer = "";
    this.update(row);
    this.#over = true;
    for (const queue of this.#queues) queue.close();
    this.#end();
  }

  #publish(event: StreamResponse): void {
    for (const queue of this.#queues) queue.push(event);
  }
}
