// workerd's timers in Node: they are due by the machine's clock, so setting that moves them all. Time passes only when a test says so.
import { vi } from "vitest";

interface Timer {
  due: number;
  readonly everyMs: number | undefined;
  readonly ring: () => void;
}

export class SettableClock {
  #now = Date.UTC(2026, 0, 1);
  #next = 1;
  readonly #timers = new Map<number, Timer>();

  /** Takes the place of the global clock and timers, until vi.unstubAllGlobals and vi.restoreAllMocks. */
  constructor() {
    const stop = (id: number | undefined) => void (id !== undefined && this.#timers.delete(id));
    vi.spyOn(Date, "now").mockImplementation(() => this.#now);
    vi.stubGlobal("setTimeout", (ring: () => void, ms = 0) => this.#add(ring, ms, undefined));
    vi.stubGlobal("setInterval", (ring: () => void, ms = 0) => this.#add(ring, ms, ms));
    vi.stubGlobal("clearTimeout", stop);
    vi.stubGlobal("clearInterval", stop);
  }

  /** Timers that have not rung and were not stopped. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** So much time passes, and each timer rings when it is due. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (let due = this.#due(end); due; due = this.#due(end)) {
      this.#now = Math.max(this.#now, due[1].due);
      await this.#ring(...due);
    }
    this.#now = end;
    await settled();
  }

  /** The clock is set forward (or back, below 0): what is due by then rings, each once. */
  async set(byMs: number): Promise<void> {
    this.#now += byMs;
    const due = [...this.#timers].filter(([, timer]) => timer.due <= this.#now);
    for (const [id, timer] of due) await this.#ring(id, timer);
    await settled();
  }

  #add(ring: () => void, ms: number, everyMs: number | undefined): number {
    this.#timers.set(this.#next, { ring, due: this.#now + ms, everyMs });
    return this.#next++;
  }

  #due(end: number): [number, Timer] | undefined {
    const due = [...this.#timers].filter(([, timer]) => timer.due <= end);
    return due.toSorted(([, a], [, b]) => a.due - b.due)[0];
  }

  async #ring(id: number, timer: Timer): Promise<void> {
    if (timer.everyMs === undefined) this.#timers.delete(id);
    else timer.due = this.#now + timer.everyMs;
    timer.ring();
    await settled();
  }
}

/** Until all that could go on has: nothing here waits for a socket. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
