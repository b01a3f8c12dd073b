// One Miniflare, and the requests that are in flight through it.
import { Miniflare, type MiniflareOptions } from "miniflare";

import { ROUTER } from "./router-worker.ts";

/** What a change waits at most for requests in flight. */
const DRAIN_MS = 1_000;

/** A place in a runtime: where to send the request, and what to call when it has ended. */
export interface Entered {
  readonly url: URL;
  readonly leave: () => void;
}

export class Runtime {
  /** Names of its Workers. */
  readonly members: ReadonlySet<string>;
  /** What it serves (serving.ts). */
  readonly stamp: string;
  readonly #miniflare: Miniflare;
  readonly #url: URL;
  readonly #inFlight = new Set<object>();
  #drained: (() => void) | undefined;

  private constructor(members: ReadonlySet<string>, stamp: string, miniflare: Miniflare, url: URL) {
    this.members = members;
    this.stamp = stamp;
    this.#miniflare = miniflare;
    this.#url = url;
  }

  static async start(members: ReadonlySet<string>, stamp: string, options: MiniflareOptions): Promise<Runtime> {
    const miniflare = new Miniflare(options);
    await miniflare.ready;
    return new Runtime(members, stamp, miniflare, await miniflare.unsafeGetDirectURL(ROUTER));
  }

  enter(): Entered {
    const ticket = {};
    this.#inFlight.add(ticket);
    const leave = () => {
      this.#inFlight.delete(ticket);
      if (this.#inFlight.size === 0) this.#drained?.();
    };
    return { url: this.#url, leave };
  }

  /** Ends it, after requests in flight have had their moment. */
  async end(): Promise<void> {
    if (this.#inFlight.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#drained = resolve;
      const limit = setTimeout(resolve, DRAIN_MS);
      await promise;
      clearTimeout(limit);
    }
    await this.#miniflare.dispose();
  }
}
