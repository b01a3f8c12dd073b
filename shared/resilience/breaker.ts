// Circuit breaker: keeps calls away from a server that fails, and lets one through from time to time to see whether it is back.
// closed → open after some failures in a row → half open after a cool-down: one call probes; its success closes, its failure opens
// again for longer. One for each server that an isolate calls: a backend of models, or a peer. No timers: time passes with the calls.
import * as z from "zod";
import { reasonOf } from "../text/reason.ts";

/** As `/health` shows it. */
export const BreakerStatus = z.object({
  /** `model:<name>` or `peer:<agent>`. */
  target: z.string(),
  state: z.enum(["closed", "open", "half_open"]),
  /** Calls that have failed in a row. */
  failures: z.int().nonnegative(),
  /** ISO 8601; absent while it is closed. */
  openSince: z.optional(z.iso.datetime()),
  /** ISO 8601; from then on the next call probes. Absent unless it is open. */
  openUntil: z.optional(z.iso.datetime()),
});
export type BreakerStatus = Readonly<z.infer<typeof BreakerStatus>>;

export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly threshold?: number;
  /** First cool-down, in milliseconds; each failed probe doubles it, up to `maxCoolDownMs`. */
  readonly coolDownMs?: number;
  readonly maxCoolDownMs?: number;
  /** A probe that has not come back after so many milliseconds may be lost with the object that made it: another one goes through. */
  readonly probeLimitMs?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** The call was not made, because the circuit is open. */
export class CircuitOpen extends Error {
  override readonly name = "CircuitOpen";
}

const MAX_REASON = 300;

export class Breaker implements Gate {
  readonly target: string;
  readonly #threshold: number;
  readonly #firstCoolDownMs: number;
  readonly #maxCoolDownMs: number;
  readonly #probeLimitMs: number;
  readonly #clock: () => number;
  #state: GateState = "closed";
  #failures = 0;
  #reason = "";
  /** When this outage began. */
  #openSince = 0;
  /** When the cool-down, or while it is half open the probe, began. */
  #since = 0;
  #coolDownMs: number;
  /** Changes when it opens or closes: what calls from before have to say is out of date then. */
  #epoch = 0;
  /** Counts probes: of one that another has taken the place of, only its success means something. */
  #probes = 0;

  constructor(target: string, options: BreakerOptions = {}) {
    this.target = target;
    this.#threshold = options.threshold ?? 5;
    this.#firstCoolDownMs = options.coolDownMs ?? 5_000;
    this.#maxCoolDownMs = options.maxCoolDownMs ?? 60_000;
    this.#probeLimitMs = options.probeLimitMs ?? 60_000;
    this.#clock = options.now ?? (() => Date.now());
    this.#coolDownMs = this.#firstCoolDownMs;
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** Throws CircuitOpen. Who gets a Pass has to say what became of the call. */
  enter(onChange: (change: GateChange) => void = () => {}): Pass {
    const now = this.#now();
    if (this.#state !== "closed") {
      const limitMs = this.#state === "open" ? this.#coolDownMs : this.#probeLimitMs;
      if (now - this.#since < limitMs) throw new CircuitOpen(this.#refusal(now));
      this.#since = now;
      this.#probes++;
      if (this.#state === "open") this.#become("half_open", onChange);
    }
    const [epoch, probe, isProbe] = [this.#epoch, this.#probes, !this.isClosed];
    let settled = false;
    const once = (settle: () => void, ofLatest: boolean) => () => {
      if (!settled && epoch === this.#epoch && (!ofLatest || probe === this.#probes)) settle();
      settled = true;
    };
    return {
      isProbe,
      success: once(() => this.#succeeded(onChange), false),
      failure: (reason) => once(() => this.#failed(reason, onChange), true)(),
      abandon: once(() => this.#abandoned(onChange), true),
    };
  }

  /**
   * Makes one call. When it rejects: a failure if `isFailure` says so, nothing if `signal` has aborted, else an answer like any other.
   * Throws CircuitOpen, or what `work` threw.
   */
  async run<Result>(
    work: () => Promise<Result>,
    {
      signal,
      isFailure,
      onChange,
    }: {
      readonly signal: AbortSignal;
      readonly isFailure: (error: unknown) => boolean;
      readonly onChange?: (change: GateChange) => void;
    },
  ): Promise<Result> {
    const pass = this.enter(onChange);
    try {
      const result = await work();
      pass.success();
      return result;
    } catch (error) {
      if (signal.aborted) pass.abandon();
      else if (isFailure(error)) pass.failure(reasonOf(error));
      else pass.success();
      throw error;
    }
  }

  status(): BreakerStatus {
    this.#now();
    const about = { target: this.target, state: this.#state, failures: this.#failures };
    if (this.#state === "closed") return about;
    const openSince = new Date(this.#openSince).toISOString();
    if (this.#state === "half_open") return { ...about, openSince };
    return { ...about, openSince, openUntil: new Date(this.#since + this.#coolDownMs).toISOString() };
  }

  #succeeded(onChange: (change: GateChange) => void): void {
    this.#failures = 0;
    if (this.#state === "closed") return;
    this.#coolDownMs = this.#firstCoolDownMs;
    this.#epoch++;
    this.#become("closed", onChange);
  }

  #failed(reason: string, onChange: (change: GateChange) => void): void {
    this.#failures++;
    this.#reason = reason.slice(0, MAX_REASON).toWellFormed();
    if (this.#state === "closed" && this.#failures < this.#threshold) return;
    this.#since = this.#now();
    if (this.#state === "closed") this.#openSince = this.#since;
    else this.#coolDownMs = Math.min(this.#maxCoolDownMs, this.#coolDownMs * 2);
    this.#epoch++;
    this.#become("open", onChange);
  }

  /** A probe that says nothing leaves the circuit as it was, so that the next call probes. */
  #abandoned(onChange: (change: GateChange) => void): void {
    if (this.#state !== "half_open") return;
    this.#since = this.#now() - this.#coolDownMs;
    this.#become("open", onChange);
  }

  #become(state: GateState, onChange: (change: GateChange) => void): void {
    this.#state = state;
    onChange({ target: this.target, state, failures: this.#failures });
  }

  /** Were the clock set back, what had begun in its future would last for as long as that: it begins anew instead. */
  #now(): number {
    const now = this.#clock();
    this.#since = Math.min(this.#since, now);
    return now;
  }

  #refusal(now: number): string {
    const leftS = Math.max(1, Math.ceil((this.#since + this.#coolDownMs - now) / 1000));
    const next = this.#state === "open" ? `It is tried again in ${leftS} s.` : "One call is trying it right now.";
    const since = new Date(this.#openSince).toISOString();
    return `The circuit to ${this.target.replace(":", " ")} is open since ${since}, after ${this.#failures} failures in a row, the last: ${this.#reason.replace(/\.$/, "")}. ${next}`;
  }
}

// What stands before the calls of a backend, and learns what became of each: a circuit breaker is one (shared/resilience/breaker.ts).

export type GateState = "closed" | "open" | "half_open";

/** A breaker went over into `state`. */
export interface GateChange {
  readonly target: string;
  readonly state: GateState;
  /** Calls that have failed in a row. */
  readonly failures: number;
}

/** Leave for one call. What is said first about its end counts, all else is ignored. */
export interface Pass {
  /** It is the one call that finds out whether the other side is back, so it is made once and not repeated. */
  readonly isProbe: boolean;
  /** The other side answered, if only to refuse. */
  success(): void;
  /** It could not be reached or broke down; `reason` is told to those who are kept from it. */
  failure(reason: string): void;
  /** The call was given up, which says nothing about the other side. */
  abandon(): void;
}

export interface Gate {
  /** Whether calls go through freely. */
  readonly isClosed: boolean;
  /** Throws an Error with words for the person who asked when no call may be made now. `onChange` hears what this call changes. */
  enter(onChange?: (change: GateChange) => void): Pass;
}
