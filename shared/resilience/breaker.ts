// Circuit breaker: closed → open after five failures in a row → half open after a cool-down, when one call probes the
// other side. The probe's success closes the circuit, its failure opens it again for longer. No timers: state changes
// only with calls.
import * as z from "zod";

/** Failures in a row that open a circuit. */
const THRESHOLD = 5;
/** Each failed probe doubles the cool-down. */
const FIRST_COOL_DOWN_MS = 5_000;
const MAX_COOL_DOWN_MS = 60_000;
/** A probe may be lost with the object that made it: after this time another call probes. */
const PROBE_LIMIT_MS = 60_000;
/** Characters of the last failure's reason that are kept. */
const MAX_REASON = 300;

export type GateState = "closed" | "open" | "half_open";

/** A gate has entered `state`. */
export interface GateChange {
  readonly target: string;
  readonly state: GateState;
  /** Calls that have failed in a row. */
  readonly failures: number;
}

/** Stands before the calls to one server: a backend of models, or a peer. */
export interface Gate {
  /** Whether all calls may be made. */
  readonly isClosed: boolean;
  /** Admits one call. Throws when no call may be made now. `onChange` gets the state changes that this call causes. */
  enter(onChange?: (change: GateChange) => void): Pass;
}

/** Permission for one call. The caller reports the outcome once; later reports are ignored. */
export interface Pass {
  /** Whether the call finds out if the server is back. A probe is made once and never retried. */
  readonly isProbe: boolean;
  /** The server answered, if only to refuse. */
  success(): void;
  /** The server could not be reached, or broke down. Refused callers read `reason`. */
  failure(reason: string): void;
  /** The call was canceled, which says nothing about the server. */
  abandon(): void;
}

/** As `/health` shows a circuit. */
export const BreakerStatus = z.object({
  /** `model:<name>` or `peer:<agent>`. */
  target: z.string(),
  state: z.enum(["closed", "open", "half_open"]),
  /** Calls that have failed in a row. */
  failures: z.int().nonnegative(),
  /** Start of the outage. Absent while the circuit is closed. */
  openSince: z.optional(z.iso.datetime()),
  /** From then on the next call probes. Absent unless the circuit is open. */
  openUntil: z.optional(z.iso.datetime()),
});
export type BreakerStatus = Readonly<z.infer<typeof BreakerStatus>>;

/** The call was not made, because the circuit is open. */
export class CircuitOpen extends Error {
  override readonly name = "CircuitOpen";
}

export class Breaker implements Gate {
  readonly target: string;
  readonly #clock: () => number;
  #state: GateState = "closed";
  #failures = 0;
  #reason = "";
  /** Start of this outage. */
  #openSince = 0;
  /** Start of the cool-down, or of the probe while the circuit is half open. */
  #since = 0;
  #coolDownMs = FIRST_COOL_DOWN_MS;
  /** Changes when the circuit opens or closes, which outdates the calls made before. */
  #epoch = 0;
  /** Number of the latest probe. An earlier probe counts only when it succeeds. */
  #probes = 0;

  /** `clock` gives milliseconds since the epoch. */
  constructor(target: string, clock: () => number = () => Date.now()) {
    this.target = target;
    this.#clock = clock;
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** Throws CircuitOpen. The caller must report the call's outcome to the Pass. */
  enter(onChange: (change: GateChange) => void = () => {}): Pass {
    const now = this.#now();
    if (this.#state !== "closed") {
      const limitMs = this.#state === "open" ? this.#coolDownMs : PROBE_LIMIT_MS;
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
    this.#coolDownMs = FIRST_COOL_DOWN_MS;
    this.#epoch++;
    this.#become("closed", onChange);
  }

  #failed(reason: string, onChange: (change: GateChange) => void): void {
    this.#failures++;
    this.#reason = reason.slice(0, MAX_REASON).toWellFormed();
    if (this.#state === "closed" && this.#failures < THRESHOLD) return;
    this.#since = this.#now();
    if (this.#state === "closed") this.#openSince = this.#since;
    else this.#coolDownMs = Math.min(MAX_COOL_DOWN_MS, this.#coolDownMs * 2);
    this.#epoch++;
    this.#become("open", onChange);
  }

  /** Opens the circuit with its cool-down over, so that the next call probes. */
  #abandoned(onChange: (change: GateChange) => void): void {
    if (this.#state !== "half_open") return;
    this.#since = this.#now() - this.#coolDownMs;
    this.#become("open", onChange);
  }

  #become(state: GateState, onChange: (change: GateChange) => void): void {
    this.#state = state;
    onChange({ target: this.target, state, failures: this.#failures });
  }

  /** When the clock was set back, the running cool-down or probe starts again: it must not last until the old time. */
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
