// How many steps the sessions of an isolate keep in memory together. Those that were used longest ago forget theirs first.

/** Characters of steps that one session keeps. Beyond that, each turn reads its thread. */
const MOST_OF_ONE = 2_000_000;
/** Characters of all sessions of the isolate, however many are in memory. */
const MOST_OF_ALL = 16_000_000;

export interface Forgetful {
  /** Frees the steps that memory has. They are on disk. */
  forgetSteps(): void;
}

/** Those that keep something, the one used last at the end. */
const keepers = new Set<KeptSteps>();
let keptByAll = 0;

export class KeptSteps {
  /** Weak: an object that was evicted is not held. */
  readonly #owner: WeakRef<Forgetful>;
  #kept = 0;

  constructor(owner: Forgetful) {
    this.#owner = new WeakRef(owner);
  }

  /** Notes a use of the steps, of which `length` characters are new in memory. */
  use(length: number): void {
    this.#kept += length;
    keptByAll += length;
    keepers.delete(this);
    keepers.add(this);
    if (this.#kept > MOST_OF_ONE) this.forget();
    for (const keeper of keepers) {
      if (keptByAll <= MOST_OF_ALL) return;
      keeper.forget();
    }
  }

  forget(): void {
    keptByAll -= this.#kept;
    this.#kept = 0;
    keepers.delete(this);
    this.#owner.deref()?.forgetSteps();
  }
}
