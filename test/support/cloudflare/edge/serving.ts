// The running Workers: one Miniflare for the account, made anew when a request comes and what is to run has changed. Objects keep
// their data. A request in flight gets a moment to end by itself; then it is cut, as a new version cuts those of objects at
// Cloudflare. Whatever changes nothing that runs (an upload, a tag) cuts nothing.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Miniflare } from "miniflare";

import type { Account } from "../account/account.ts";
import { type Handlers, runtimeOptions, servingStamp } from "./runtime-options.ts";
import { ROUTER } from "./router-worker.ts";

/** What a rebuild waits at most for requests in flight. */
const DRAIN_MS = 1_000;

export class Serving {
  readonly #account: Account;
  readonly #handlers: Handlers;
  readonly #folder: string;
  #miniflare: Miniflare | undefined;
  #stamp = "";
  #url: URL | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #inFlight = new Set<object>();
  #drained: (() => void) | undefined;

  private constructor(account: Account, handlers: Handlers, folder: string) {
    this.#account = account;
    this.#handlers = handlers;
    this.#folder = folder;
  }

  static async start(account: Account, handlers: Handlers): Promise<Serving> {
    return new Serving(account, handlers, await mkdtemp(join(tmpdir(), "troupe-cloudflare-")));
  }

  /** Where the router of what is to run now listens. The caller says with `leave` that its request has ended. */
  async enter(): Promise<{ readonly url: URL; readonly leave: () => void }> {
    const entered = this.#turn.then(async () => {
      const url = await this.#current();
      const ticket = {};
      this.#inFlight.add(ticket);
      const leave = () => {
        this.#inFlight.delete(ticket);
        if (this.#inFlight.size === 0) this.#drained?.();
      };
      return { url, leave };
    });
    this.#turn = entered.catch(() => {});
    return entered;
  }

  async dispose(): Promise<void> {
    await this.#turn;
    await this.#miniflare?.dispose();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #current(): Promise<URL> {
    const stamp = servingStamp(this.#account);
    if (this.#url !== undefined && stamp === this.#stamp) return this.#url;
    await this.#drain();
    const options = runtimeOptions(this.#account, this.#folder, this.#handlers);
    if (this.#miniflare === undefined) this.#miniflare = new Miniflare(options);
    else await this.#miniflare.setOptions(options);
    await this.#miniflare.ready;
    this.#url = await this.#miniflare.unsafeGetDirectURL(ROUTER);
    this.#stamp = stamp;
    return this.#url;
  }

  async #drain(): Promise<void> {
    if (this.#inFlight.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#drained = resolve;
    const limit = setTimeout(resolve, DRAIN_MS);
    await promise;
    clearTimeout(limit);
    this.#drained = undefined;
  }
}
