// The one alarm of a Durable Object, shared by all that wake the object.

export class Alarm {
  readonly #storage: DurableObjectStorage;
  /** When the alarm rings, null for never; undefined while this life of the object has neither set nor read it. */
  #at: number | null | undefined;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /**
   * Sets the alarm to `time` (ms since the epoch), unless this life has set an earlier one. Replaces what an earlier
   * life set. Commits together with the rows written before the next await.
   */
  ringBy(time: number): void {
    void this.#ringBy(time);
  }

  /**
   * Sets the alarm to `time` (ms since the epoch), unless any life has set an earlier one. Reads storage once a life.
   */
  async keepOrRingBy(time: number): Promise<void> {
    if (this.#at === undefined) {
      const earlier = await this.#storage.getAlarm();
      // It may have been set meanwhile.
      if (this.#at === undefined) this.#at = earlier;
    }
    await this.#ringBy(time);
  }

  /** Sets no alarm any more. Commits together with the rows written before the next await. */
  clear(): void {
    this.#at = null;
    void this.#storage.deleteAlarm();
  }

  /** The alarm has rung: until it is set again it does not ring. */
  rang(): void {
    this.#at = null;
  }

  async #ringBy(time: number): Promise<void> {
    if (typeof this.#at === "number" && this.#at <= time) return;
    this.#at = time;
    await this.#storage.setAlarm(time);
  }
}
