// The log of a thread as one turn works on it.
import type { Step } from "./step.ts";

export interface TurnLogParts {
  /** Index of the task's first step, which is the message to answer. */
  readonly begin: number;
  /** Which life of the turn this is, from 1: each isolate that resumes the turn begins another. */
  readonly life: number;
  /** Makes a step durable before anything that follows it can be seen outside. */
  readonly write: (step: Step) => void;
  /** Makes a step durable with the next one, or a little later; `write` when left out. */
  readonly writeLater?: (step: Step) => void;
}

export class TurnLog {
  readonly begin: number;
  readonly life: number;
  readonly #steps: Step[];
  readonly #write: (step: Step) => void;
  readonly #writeLater: (step: Step) => void;

  /** `steps`: the thread's, up to and including the task's own; the log adds to this list. */
  constructor(steps: Step[], { begin, life, write, writeLater = write }: TurnLogParts) {
    this.#steps = steps;
    this.begin = begin;
    this.life = life;
    this.#write = write;
    this.#writeLater = writeLater;
  }

  /** The steps of the thread, oldest first. */
  get steps(): readonly Step[] {
    return this.#steps;
  }

  /** The task's own steps so far. */
  own(): readonly Step[] {
    return this.#steps.slice(this.begin);
  }

  append(step: Step): void {
    this.#write(step);
    this.#steps.push(step);
  }

  /** Appends what another life would find out again: it costs no commit of its own. */
  appendLater(step: Step): void {
    this.#writeLater(step);
    this.#steps.push(step);
  }
}
