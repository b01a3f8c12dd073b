// One call of a backend: enters the gate, watches for silence, and reports the outcome to both.
import type { Gate, Pass } from "../resilience/breaker.ts";
import { IdleWatch } from "../resilience/idle-watch.ts";
import { toModelError } from "./model-errors.ts";
import { ModelError, type ModelErrorCode, type ModelNotice } from "./model.ts";

/**
 * Errors that count as failures of the backend. A backend that answers 400, 401, 403 or 429, or says that it is busy,
 * is up.
 */
const DOWN: ReadonlySet<ModelErrorCode> = new Set([
  "unavailable",
  "overloaded",
  "connection_lost",
  "broken_stream",
  "stalled",
]);

/** Retries of a request that is refused. */
const MAX_RETRIES = 2;

const FREE_PASS: Pass = { isProbe: false, success() {}, failure() {}, abandon() {} };

export class WatchedCall {
  /** Aborts when the caller cancels the call, or when the backend is silent for too long. */
  readonly signal: AbortSignal;
  readonly watch: IdleWatch;
  readonly onNotice: (notice: ModelNotice) => void;
  readonly #pass: Pass;
  readonly #given: AbortSignal;
  readonly #idleLimitMs: number;

  /** Throws ModelError when the gate is closed to calls. `idleLimitMs` is the longest silence in milliseconds. */
  constructor(
    gate: Gate | undefined,
    idleLimitMs: number,
    signal: AbortSignal,
    onNotice: (notice: ModelNotice) => void,
  ) {
    this.#pass = enter(gate, onNotice);
    const stall = new AbortController();
    this.watch = new IdleWatch(idleLimitMs, () => stall.abort());
    this.onNotice = onNotice;
    this.#given = signal;
    this.#idleLimitMs = idleLimitMs;
    this.signal = AbortSignal.any([signal, stall.signal]);
  }

  /** A probe is made once. */
  get maxRetries(): number {
    return this.#pass.isProbe ? 0 : MAX_RETRIES;
  }

  succeeded(): void {
    this.#pass.success();
  }

  /** Reports the failure to the gate. Returns what to throw for `error`. */
  failure(error: unknown): unknown {
    if (this.#given.aborted) return this.#given.reason;
    const limit = this.#idleLimitMs / 1000;
    const failed = this.watch.stalled
      ? new ModelError("stalled", `The model sent nothing for ${limit} s; the call was given up.`)
      : toModelError(error);
    if (DOWN.has(failed.code) && !failed.isBusy) this.#pass.failure(failed.message);
    else this.#pass.success();
    return failed;
  }

  /** Must be called at the end, whatever the outcome. Until `rest` settles, silence still aborts `signal`. */
  end(rest?: Promise<void>): void {
    this.#pass.abandon();
    const stop = () => this.watch.stop();
    if (rest) rest.then(stop, stop);
    else stop();
  }
}

function enter(gate: Gate | undefined, onNotice: (notice: ModelNotice) => void): Pass {
  try {
    return gate?.enter((change) => onNotice({ kind: "breaker", ...change })) ?? FREE_PASS;
  } catch (error) {
    throw new ModelError("circuit_open", error instanceof Error ? error.message : String(error), { cause: error });
  }
}
