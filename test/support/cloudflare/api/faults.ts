// Faults that tests ask for: which call of which route fails, and how.
import { setTimeout as wait } from "node:timers/promises";

import { ApiError } from "../account/api-error.ts";

export type How =
  /** An error of the API; `code` and `message` are those that Cloudflare has for the status where they are left out. */
  | { readonly status: number; readonly code?: number; readonly message?: string; readonly retryAfter?: number }
  /** The socket is destroyed before anything happens. */
  | "drop"
  /** It is done, and then the socket is destroyed. */
  | "drop-after"
  /** Nothing is done and nothing is answered, until the other side hangs up. */
  | "hang"
  /** It is done this much later. */
  | { readonly slowMs: number };

export interface Fault {
  /** The route's template, or `EDGE` for requests to a Worker. */
  readonly call: string;
  /** Only calls about this Worker. */
  readonly worker?: string;
  /** The first call that fails, counted from 1 among those that match; 1 without it. */
  readonly nth?: number;
  /** How many calls fail from there on; 1 without it. */
  readonly times?: number;
  readonly how: How;
}

const USUAL: Record<number, readonly [code: number, message: string]> = {
  403: [10_000, "Authentication error"],
  429: [971, "Please wait and consider throttling your request speed"],
};

/** The name of requests to Workers of the account, among those that may fail. */
export const AT_EDGE = "EDGE";

export class Faults {
  #faults: { readonly fault: Fault; seen: number }[] = [];

  add(fault: Fault): void {
    this.#faults.push({ fault, seen: 0 });
  }

  clear(): void {
    this.#faults = [];
  }

  /** What is to happen to this call. Every fault that matches counts it; the oldest one decides. */
  next(call: string, worker: string | undefined): How | undefined {
    const due = this.#faults.filter((one) => {
      const { fault } = one;
      if (fault.call !== call || (fault.worker !== undefined && fault.worker !== worker)) return false;
      one.seen += 1;
      const first = fault.nth ?? 1;
      return one.seen >= first && one.seen < first + (fault.times ?? 1);
    });
    return due[0]?.fault.how;
  }
}

/** A refusal that a test asked for. */
export class InjectedError extends ApiError {
  readonly retryAfter: number | undefined;

  constructor({ status, code, message, retryAfter }: Extract<How, { readonly status: number }>) {
    const [usualCode, usualMessage] = USUAL[status] ?? [
      10_013,
      "An unknown error has occurred. If this error persists, please report the issue.",
    ];
    super(status, code ?? usualCode, message ?? usualMessage);
    this.retryAfter = retryAfter;
  }
}

/** Waits or throws, as the fault says. What concerns the socket is left to the server. */
export async function suffer(how: How | undefined): Promise<void> {
  if (typeof how !== "object") return;
  if ("slowMs" in how) await wait(how.slowMs);
  else throw new InjectedError(how);
}
