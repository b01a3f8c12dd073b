// One `wrangler dev` for all Workers of a job: writes what it reads into a temporary folder, watches it, and ends it with all that it started.
import { rmSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rename, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

import type { Bundle } from "../project/build.ts";
import { signalGroup, startWrangler, type WranglerProcess } from "../project/wrangler-process.ts";
import { PRIVATE } from "../targets/local/state/secrets.ts";
import { CliError } from "../terminal/cli-error.ts";
import { devVars } from "./dev-vars.ts";
import type { DevWorker } from "./workers.ts";
import { WranglerOutput } from "./wrangler-output.ts";

/** Time to end by itself. */
const END_MS = 5_000;
const POLL_MS = 20;

interface Options {
  readonly port: number;
  /** Folder of the Durable Objects' storage. */
  readonly data: string;
  /** Gets what wrangler says, as far as it tells anything. */
  readonly say: (text: string) => void;
}

interface Run extends Pick<Options, "say"> {
  readonly workers: readonly DevWorker[];
}

export class WranglerDev implements AsyncDisposable {
  readonly #process: WranglerProcess;
  readonly #folder: string;
  readonly #workers: readonly DevWorker[];
  readonly #output = new WranglerOutput();
  readonly #ended = new AbortController();
  readonly #vanish = (): void => {
    signalGroup(this.#process, "SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  };

  private constructor(started: WranglerProcess, folder: string, { workers, say }: Run) {
    this.#process = started;
    this.#folder = folder;
    this.#workers = workers;
    for (const input of [started.stdout, started.stderr])
      createInterface({ input }).on("line", (line) => {
        const read = this.#output.read(line);
        if (read !== undefined) say(read);
      });
    started.once("close", () => this.#ended.abort());
    started.once("error", () => this.#ended.abort());
    // Whatever ends this process ends wrangler, too.
    process.once("exit", this.#vanish);
  }

  /** Starts it; the Workers answer later. */
  static async start(workers: readonly DevWorker[], { port, data, say }: Options): Promise<WranglerDev> {
    const folder = await mkdtemp(join(tmpdir(), "troupe-dev-"));
    try {
      const configs = await Promise.all(workers.map(async (worker) => writeWorker(folder, worker)));
      const args = [
        "dev",
        ...configs.flatMap((path) => ["--config", path]),
        "--port",
        String(port),
        "--persist-to",
        data,
      ];
      const started = startWrangler(args, folder, {
        // No other `wrangler dev` of this machine binds to these Workers.
        WRANGLER_REGISTRY_PATH: join(folder, "registry"),
        WRANGLER_LOG_PATH: join(folder, "logs"),
        CLOUDFLARE_CF_FETCH_ENABLED: "false",
      });
      return new WranglerDev(started, folder, { workers, say });
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Aborts when wrangler has ended. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Why it has ended, in its own words. */
  failure(): CliError {
    return new CliError("failed", `wrangler dev has ended: ${this.#output.reason}`);
  }

  /** Puts new modules in the place of the former ones. wrangler sees that, and serves them. */
  async replace(bundles: readonly Bundle[]): Promise<void> {
    for (const { worker, path } of bundles) {
      const made = this.#workers.filter(({ bundle }) => bundle?.worker === worker);
      for (const { name } of made) await placeModule(this.#folder, name, path);
    }
  }

  /** Ends wrangler and the workerd that it started, and removes what was written for them. */
  async [Symbol.asyncDispose](): Promise<void> {
    signalGroup(this.#process, "SIGTERM");
    const deadline = performance.now() + END_MS;
    while (signalGroup(this.#process, 0) && performance.now() < deadline) await delay(POLL_MS);
    this.#vanish();
    process.removeListener("exit", this.#vanish);
  }
}

/** Each has a folder of its own, since secrets are read beside the configuration. */
async function writeWorker(root: string, { name, config, secrets, bundle }: DevWorker): Promise<string> {
  const folder = join(root, name);
  const path = join(folder, "wrangler.json");
  await mkdir(folder);
  await writeFile(path, JSON.stringify(config));
  await writeFile(join(folder, ".dev.vars"), devVars(secrets), { mode: PRIVATE });
  if (bundle !== undefined) await placeModule(root, name, bundle.path);
  return path;
}

/** wrangler never reads a part of it. */
async function placeModule(root: string, name: string, bundle: string): Promise<void> {
  const next = join(root, `${name}.js`);
  await copyFile(bundle, next);
  await rename(next, join(root, name, "index.js"));
}
