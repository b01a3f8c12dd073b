// Watches the sources of Workers, and builds again those that a saved source belongs to. wrangler could build them itself, but it looks for
// changes less often, and keeps a builder for each Worker.
import { watch } from "node:fs";
import { join, sep } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import type { Message } from "esbuild";

import type { Mistake } from "#jobs/file/mistake.ts";
import { type Bundle, type BuildResult, buildWorkers } from "../project/build.ts";
import { PROJECT } from "../project/project.ts";
import { CliError, mistakesError } from "../terminal/cli-error.ts";

const FOLDERS = ["workers", "shared"];
/** An editor saves a file in several steps. */
const PAUSE_MS = 50;

interface Rebuilding {
  /** Of all Workers that run. */
  readonly bundles: readonly Bundle[];
  /** Takes the new bundles. */
  readonly folder: string;
  /** Finds mistakes in what was built: one Worker that throws at its start would end them all. */
  readonly check: (built: Pick<BuildResult, "bundles" | "broken">) => Promise<readonly Mistake[]>;
  /** Gets all bundles that are not those that run; none where a mistake was undone. */
  readonly onBuilt: (bundles: readonly Bundle[]) => Promise<void>;
  readonly onMistakes: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Resolves when the signal aborts. While there is a mistake, what ran before runs on, and each change is a new try. */
export async function rebuildSaved({ bundles, folder, check, onBuilt, onMistakes, signal }: Rebuilding): Promise<void> {
  const running = new Map(bundles.map(({ worker, hash }) => [worker, hash]));
  const latest = new Map(bundles.map((bundle) => [bundle.worker, bundle]));
  const broken = new Map<string, readonly Message[]>();
  let isMistaken = false;

  const rebuild = async (affected: readonly Bundle[]) => {
    const built = await buildWorkers(folder, Object.fromEntries(affected.map(({ worker, entry }) => [worker, entry])));
    for (const [worker, errors] of built.broken) broken.set(worker, errors);
    for (const [worker, bundle] of built.bundles) {
      latest.set(worker, bundle);
      broken.delete(worker);
    }
    const mistakes = await check({ bundles: latest, broken });
    if (mistakes.length > 0) throw mistakesError(mistakes);
    const fresh = [...latest.values()].filter(({ worker, hash }) => running.get(worker) !== hash);
    if (fresh.length > 0 || isMistaken) await onBuilt(fresh);
    for (const { worker, hash } of fresh) running.set(worker, hash);
  };

  for await (const saved of changes(signal)) {
    const affected = [...latest.values()].filter(
      ({ worker, inputs }) => broken.has(worker) || inputs.some((input) => saved.has(input)),
    );
    if (affected.length === 0) continue;
    try {
      await rebuild(affected);
      isMistaken = false;
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      isMistaken = true;
      onMistakes(error.message);
    }
  }
}

/** Paths in the project that were written since the last time. Ends when the signal aborts. */
async function* changes(signal: AbortSignal): AsyncGenerator<ReadonlySet<string>> {
  let saved = new Set<string>();
  let wake = Promise.withResolvers<void>();
  const onAbort = () => wake.resolve();
  signal.addEventListener("abort", onAbort);
  const watchers = FOLDERS.map((folder) =>
    watch(join(PROJECT, folder), { recursive: true }, (_, name) => {
      if (name !== null) saved.add(`${folder}/${name.split(sep).join("/")}`);
      wake.resolve();
    }).on("error", (error) => wake.reject(error)),
  );
  try {
    for (;;) {
      await wake.promise;
      if (signal.aborted) return;
      wake = Promise.withResolvers<void>();
      await delay(PAUSE_MS);
      const now = saved;
      saved = new Set();
      yield now;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    for (const watcher of watchers) watcher.close();
  }
}
