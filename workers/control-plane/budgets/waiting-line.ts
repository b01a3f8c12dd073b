// Calls that wait until others settle, in the order of their first request. In memory only: a waiting agent asks again
// after `waitMs`, also when the object was evicted.
import type { Reserve } from "#shared/control-plane/budgets.ts";
import type { ReserveResult } from "../rpc.ts";

interface Waiter {
  readonly call: Reserve;
  readonly place: number;
  readonly answer: (answer: ReserveResult) => void;
}

/** Places kept for calls that may ask again. */
const MAX_PLACES = 10_000;

export class WaitingLine {
  readonly #waiters = new Map<string, Waiter[]>();
  readonly #places = new Map<string, number>();
  #next = 0;

  /**
   * Adds the call; a call that asks again gets its former place. Resolves to the answer, or to `wait` after
   * `call.waitMs`, when `left` is called too. An earlier request of the same call resolves to `wait`.
   */
  async join(call: Reserve, left: () => void): Promise<ReserveResult> {
    this.answer(call.query, call.id, { wait: true });
    const place = this.#placeOf(call);
    const { promise, resolve } = Promise.withResolvers<ReserveResult>();
    const waiters = this.#waiters.get(call.query) ?? [];
    this.#waiters.set(call.query, waiters);
    const behind = waiters.findIndex((waiter) => waiter.place > place);
    const waiter = { call, place, answer: resolve };
    waiters.splice(behind === -1 ? waiters.length : behind, 0, waiter);
    const timer = setTimeout(() => {
      if (!this.#waiters.get(call.query)?.includes(waiter)) return;
      this.answer(call.query, call.id, { wait: true });
      left();
    }, call.waitMs);
    return promise.finally(() => clearTimeout(timer));
  }

  first(query: string): Reserve | undefined {
    return this.#waiters.get(query)?.[0]?.call;
  }

  size(query: string): number {
    return this.#waiters.get(query)?.length ?? 0;
  }

  /** Answers and removes a waiting call. Does nothing for a call that does not wait. */
  answer(query: string, id: string, answer: ReserveResult): void {
    const waiters = this.#waiters.get(query);
    const index = waiters?.findIndex(({ call }) => call.id === id) ?? -1;
    const [waiter] = index === -1 ? [] : (waiters?.splice(index, 1) ?? []);
    if (waiters?.length === 0) this.#waiters.delete(query);
    if (!("wait" in answer)) this.#places.delete(keyOf({ query, id }));
    waiter?.answer(answer);
  }

  /** Removes the calls for which `isGone` holds, and answers them with `released`. */
  dismiss(query: string, isGone: (call: Reserve) => boolean): void {
    const gone = (this.#waiters.get(query) ?? []).filter(({ call }) => isGone(call));
    for (const { call } of gone) this.answer(query, call.id, { released: true });
  }

  #placeOf(call: Reserve): number {
    const key = keyOf(call);
    const place = this.#places.get(key) ?? this.#next++;
    this.#places.set(key, place);
    const oldest = this.#places.size > MAX_PLACES ? this.#places.keys().next().value : undefined;
    if (oldest !== undefined) this.#places.delete(oldest);
    return place;
  }
}

function keyOf({ query, id }: { readonly query: string; readonly id: string }): string {
  return JSON.stringify([query, id]);
}
