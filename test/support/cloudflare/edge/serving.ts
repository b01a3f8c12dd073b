// The running Workers. Those that bind each other, such as the Workers of one job, share a Miniflare. It is made when a request comes,
// and made anew when a request comes and what its Workers are to run has changed; objects keep their data. Then requests in
// flight through it get a moment to end by themselves and are cut, as a new version cuts those of objects at Cloudflare. Other
// Workers' requests go on, and whatever changes nothing that runs (an upload, a tag) cuts nothing.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Account, targetOf } from "../account/account.ts";
import { running } from "../account/worker.ts";
import { tableOf } from "./router-worker.ts";
import { type Entered, Runtime } from "./runtime.ts";
import { type Handlers, runtimeOptions } from "./runtime-options.ts";

export class Serving {
  readonly #account: Account;
  readonly #handlers: Handlers;
  /** Of the objects' data. */
  readonly #folder: string;
  #runtimes: readonly Runtime[] = [];
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(account: Account, handlers: Handlers, folder: string) {
    this.#account = account;
    this.#handlers = handlers;
    this.#folder = folder;
  }

  static async start(account: Account, handlers: Handlers): Promise<Serving> {
    return new Serving(account, handlers, await mkdtemp(join(tmpdir(), "troupe-cloudflare-")));
  }

  /** A place in what this Worker is to run now. */
  async enter(worker: string): Promise<Entered> {
    const entered = this.#turn.then(async () => (await this.#current(worker)).enter());
    this.#turn = entered.catch(() => {});
    return entered;
  }

  async dispose(): Promise<void> {
    await this.#turn;
    await Promise.all(this.#runtimes.map(async (runtime) => runtime.end()));
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #current(worker: string): Promise<Runtime> {
    const members = boundTogether(this.#account, worker);
    const namespaces = [...members].map((name) => this.#account.workers.get(name)?.namespaces);
    const stamp = JSON.stringify([tableOf(this.#account, members), namespaces]);
    const found = this.#runtimes.find((runtime) => runtime.stamp === stamp);
    if (found !== undefined) return found;
    // Two processes must not have the data of one object. Deleted Workers end, too: their alarms would still come.
    const isStale = (name: string) => members.has(name) || !this.#account.workers.has(name);
    const stale = this.#runtimes.filter((runtime) => [...runtime.members].some(isStale));
    this.#runtimes = this.#runtimes.filter((runtime) => !stale.includes(runtime));
    await Promise.all(stale.map(async (runtime) => runtime.end()));
    const options = runtimeOptions(this.#account, members, this.#folder, this.#handlers);
    const started = await Runtime.start(members, stamp, options);
    this.#runtimes = [...this.#runtimes, started];
    return started;
  }
}

/** The Workers that this one reaches by bindings, and that reach it, over any others. */
function boundTogether({ workers }: Account, worker: string): ReadonlySet<string> {
  const bonds = [...workers.values()].flatMap((from) =>
    running(from)
      .flatMap(({ version }) => version.bindings)
      .flatMap((binding) => targetOf(binding) ?? [])
      .filter((target) => workers.has(target))
      .map((target) => [from.name, target] as const),
  );
  const together = new Set([worker]);
  // A set's iteration reaches what is added during it.
  for (const name of together) {
    for (const [one, other] of bonds) {
      if (one === name) together.add(other);
      if (other === name) together.add(one);
    }
  }
  return new Set([...together].sort());
}
