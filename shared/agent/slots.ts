// Bounds the turns of an agent that work at once, over all its sessions. A turn that waits for a peer gives its slot back meanwhile: so
// only turns that work hold slots, and no query can wait for itself.
import { configOf, type AgentEnv } from "./env.ts";
import type { Caller } from "./caller.ts";

/** Turns that may wait for a slot. Each holds its session's object in memory. */
const MAX_WAITING = 1_000;

/** As `/health` shows it. */
export interface SlotStatus {
  readonly limit: number;
  /** Turns at work. */
  readonly running: number;
  /** Turns that wait for a slot. */
  readonly waiting: number;
}

interface Waiter {
  readonly slot: Slot;
  readonly grant: () => void;
}

export class Slots {
  readonly #limit: number;
  #running = 0;
  /** Slots of turns that have begun or wait, by their session's object. */
  readonly #open = new Map<string, Set<Slot>>();
  #openCount = 0;
  /** Waiting turns, in the order in which they get a slot. Turns that come back from a peer go first. */
  readonly #returning = new Set<Waiter>();
  readonly #beginning = new Set<Waiter>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get status(): SlotStatus {
    return { limit: this.#limit, running: this.#running, waiting: this.#returning.size + this.#beginning.size };
  }

  /** Whether a turn that begins now has to wait. */
  get isFull(): boolean {
    return this.#running >= this.#limit;
  }

  /**
   * Why a message is refused now; undefined when it is not. A peer's question belongs to a query that was let in, so only too many waiting
   * turns refuse it, and those get their slots whatever becomes of the question.
   */
  refusal({ chain }: Pick<Caller, "chain">): string | undefined {
    const ahead = chain.length > 0 ? this.status.waiting : this.#openCount - this.#limit;
    if (ahead < MAX_WAITING) return undefined;
    return `The agent has ${this.#openCount} turns to work on, ${this.#limit} at once: its line of ${MAX_WAITING} is full.`;
  }

  /** A slot for a turn of `owner`, as soon as one is free. Rejects with the signal's reason. */
  async begin(owner: string, signal: AbortSignal): Promise<Slot> {
    const slot = new Slot({
      take: (again) => this.#take(slot, this.#returning, again),
      giveBack: () => this.#giveBack(slot),
      end: () => this.#end(slot, owner),
    });
    const others = this.#open.get(owner) ?? new Set();
    this.#open.set(owner, others.add(slot));
    this.#openCount++;
    try {
      await this.#take(slot, this.#beginning, signal);
      return slot;
    } catch (error) {
      slot.end();
      throw error;
    }
  }

  /** Takes back the slots of an object that ended without giving them back. */
  forget(owner: string): void {
    for (const slot of this.#open.get(owner) ?? []) slot.end();
  }

  async #take(slot: Slot, line: Set<Waiter>, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.isFull) return this.#hold(slot);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { slot, grant: resolve };
    const abort = () => {
      if (line.delete(waiter)) reject(signal.reason);
    };
    line.add(waiter);
    signal.addEventListener("abort", abort, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  #hold(slot: Slot): void {
    if (!slot.isHeld) this.#running++;
    slot.isHeld = true;
  }

  #giveBack(slot: Slot): void {
    if (!slot.isHeld) return;
    slot.isHeld = false;
    this.#running--;
    this.#serve();
  }

  #serve(): void {
    for (const line of [this.#returning, this.#beginning]) {
      for (const waiter of line) {
        if (this.isFull) return;
        line.delete(waiter);
        this.#hold(waiter.slot);
        waiter.grant();
      }
    }
  }

  #end(slot: Slot, owner: string): void {
    const others = this.#open.get(owner);
    if (!others?.delete(slot)) return;
    this.#openCount--;
    if (others.size === 0) this.#open.delete(owner);
    for (const line of [this.#returning, this.#beginning])
      for (const waiter of line) if (waiter.slot === slot) line.delete(waiter);
    this.#giveBack(slot);
  }
}

interface SlotActions {
  take(signal: AbortSignal): Promise<void>;
  giveBack(): void;
  end(): void;
}

/** The slot of one turn. */
export class Slot {
  isHeld = false;
  readonly #actions: SlotActions;
  /** Questions to peers that are under way. */
  #away = 0;
  #isOver = false;

  constructor(actions: SlotActions) {
    this.#actions = actions;
  }

  /** Gives the slot back while `work` waits for a peer. Several may run side by side. Rejects as `work` does, or with the signal's reason. */
  async without<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    if (this.#away++ === 0) this.#actions.giveBack();
    try {
      return await work();
    } finally {
      if (--this.#away === 0 && !this.#isOver) await this.#comeBack(signal);
    }
  }

  /** The turn has ended, or waits for a person. May be repeated. */
  end(): void {
    this.#isOver = true;
    this.#actions.end();
  }

  async #comeBack(signal: AbortSignal): Promise<void> {
    await this.#actions.take(signal);
    // Meanwhile the turn may have ended, or asked another peer.
    if (this.#isOver || this.#away > 0) this.#actions.giveBack();
  }
}

interface SlotTask {
  /** Aborts when the task is canceled. */
  readonly signal: AbortSignal;
  say(why: string): void;
}

/** A slot for the task's turn in the session of this name. A task that has to wait says so. */
export async function slotFor(live: SlotTask, env: AgentEnv, session = ""): Promise<Slot> {
  const slots = slotsOf(env);
  const { limit, waiting } = slots.status;
  if (slots.isFull) {
    live.say(`The agent works on ${limit} other messages, its limit. ${waiting} more wait before this one.`);
  }
  return slots.begin(session, live.signal);
}

const agents = new Map<string, Slots>();

/** The slots of an agent in this isolate: one for all its sessions. */
export function slotsOf(env: AgentEnv): Slots {
  const { job, id, turnsAtOnce } = configOf(env);
  const key = `${job}/${id}`;
  const slots = agents.get(key) ?? new Slots(turnsAtOnce);
  agents.set(key, slots);
  return slots;
}
