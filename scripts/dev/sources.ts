// Watches the sources of Workers, and builds again those that a saved source belongs to. wrangler could build them itself, but it looks for
// changes every few seconds only, and needs five times the memory.
import { watch } from "node:fs";
import { join, sep } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { formatMistake } from "#jobs/file/mistake.ts";
import { buildMistake } from "../inspection/check-agents.ts";
import { type Bundle, buildWorkers } from "../project/build.ts";
import { PROJECT } from "../project/project.ts";
import { CliError } from "../terminal/cli-error.ts";

const FOLDERS = ["workers", "shared"];
/** An editor saves a file in several steps. */
const PAUSE_MS = 50;

interface Rebuilding {
  /** Of all Workers that run. */
  readonly bundles: readonly Bundle[];
  /** Takes the new bundles. */
  readonly folder: string;
  /** Gets those that are not as before. */
  readonly onBuilt: (bundles: readonly Bundle[]) => Promise<void>;
  /** Gets the mistakes of sources that do not build. */
  readonly onBroken: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Resolves when the signal aborts. A Worker that does not build is tried again at each change. */
export async function rebuildSaved({ bundles, folder, onBuilt, onBroken, signal }: Rebuilding): Promise<void> {
  const known = new Map(bundles.map((bundle) => [bundle.worker, bundle]));
  const broken = new Set<string>();
  for await (const saved of changes(signal)) {
    const affected = [...known.values()].filter((bundle) => broken.has(bundle.worker) || isMadeOf(bundle, saved));
    if (affected.length === 0) continue;
    try {
      const built = await buildWorkers(
        folder,
        Object.fromEntries(affected.map(({ worker, entry }) => [worker, entry])),
      );
      const isNew = ({ worker, hash }: Bundle) => broken.has(worker) || known.get(worker)?.hash !== hash;
      const fresh = [...built.bundles.values()].filter((bundle) => isNew(bundle));
      const mistakes = [...built.broken].flatMap(([worker, errors]) =>
        errors.map((error) => formatMistake(buildMistake(worker, error))),
      );
      for (const worker of built.broken.keys()) broken.add(worker);
      for (const [worker, bundle] of built.bundles) {
        known.set(worker, bundle);
        broken.delete(worker);
      }
      if (mistakes.length > 0) onBroken([...new Set(mistakes)].join("\n"));
      if (fresh.length > 0) await onBuilt(fresh);
    } catch (error) {
      // Control plane or offline model.
      if (!(error instanceof CliError)) throw error;
      for (const { worker } of affected) broken.add(worker);
      onBroken(error.message);
    }
  }
}

function isMadeOf({ inputs }: Bundle, saved: ReadonlySet<string>): boolean {
  return inputs.some((input) => saved.has(input));
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
