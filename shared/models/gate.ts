// What stands before the calls of a backend, and learns what became of each: a circuit breaker is one (shared/loop/breaker.ts).

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
