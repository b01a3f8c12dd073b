// The one alarm of an object, shared by all that need to be woken.

export class Alarm {
  readonly #storage: DurableObjectStorage;
  /** When it rings; undefined where this life of the object has set none. */
  #at: number | undefined;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Wakes the object by `time`, in milliseconds since the epoch. Set along with what it is for, it is kept by the same commit. */
  ringBy(time: number): void {
    if (this.#at !== undefined && this.#at <= time) return;
    this.#at = time;
    void this.#storage.setAlarm(time);
  }

  /** It has rung, and does not ring again by itself. */
  rang(): void {
    this.#at = undefined;
  }
}
