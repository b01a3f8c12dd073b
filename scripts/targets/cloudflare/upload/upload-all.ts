// Puts all Workers of a release up, or none: what was deployed before comes back where one fails.
import type { Uploaded } from "../../local/state/state.ts";
import type { Account } from "../account/account.ts";
import { deployStub, deployWorker } from "./deploy-worker.ts";
import { inParallel } from "./in-parallel.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Upload } from "./upload.ts";

export interface Change {
  readonly account: Account;
  /** Stands in the account beside each version. */
  readonly message: string;
  readonly signal: AbortSignal;
}

/**
 * Deploys the Workers, those first that others bind to. Resolves to what runs then, in their order. `known`: what this machine deployed of
 * them; a Worker that is the same is left alone.
 */
export async function uploadAll(
  uploads: readonly Upload[],
  { known, before }: { readonly known: readonly Uploaded[]; readonly before: Snapshot },
  change: Change,
): Promise<Uploaded[]> {
  const changed = uploads.filter((upload) => sameAs(upload, known, before) === undefined);
  const done = new Map<string, string>();
  for (const group of inOrder(changed)) {
    const inGroup = new Set(group.map(({ script }) => script));
    const isNew = (script: string) => inGroup.has(script) && before.get(script) === undefined;
    const awaited = group.filter(
      ({ script }) => isNew(script) && group.some(({ bindsTo }) => bindsTo.includes(script)),
    );
    await inParallel(awaited, async (upload) => deployStub(upload, change));
    await inParallel(group, async (upload) => done.set(upload.script, await deployWorker(upload, change)));
  }
  return uploads.map((upload) => {
    const { script, print, steps } = upload;
    return sameAs(upload, known, before) ?? { script, print, steps: [...steps], version: done.get(script) ?? "" };
  });
}

/** What runs of the Worker where that is the same; undefined where it has to be deployed. */
export function sameAs({ script, print }: Upload, known: readonly Uploaded[], before: Snapshot): Uploaded | undefined {
  const version = before.get(script)?.version;
  return known.find((worker) => worker.script === script && worker.print === print && worker.version === version);
}

/** Groups, each after those that it binds to. Workers that bind each other in a circle are one group. */
function inOrder(uploads: readonly Upload[]): Upload[][] {
  const groups: Upload[][] = [];
  let waiting = [...uploads];
  while (waiting.length > 0) {
    const scripts = new Set(waiting.map(({ script }) => script));
    const ready = waiting.filter(({ bindsTo }) => !bindsTo.some((script) => scripts.has(script)));
    const group = ready.length > 0 ? ready : circle(waiting);
    groups.push(group);
    waiting = waiting.filter((upload) => !group.includes(upload));
  }
  return groups;
}

/** Those of a smallest set that binds nothing outside of it. */
function circle(waiting: readonly Upload[]): Upload[] {
  const below = (start: Upload): Upload[] => {
    const found = new Set([start]);
    for (const upload of found)
      for (const other of waiting) if (upload.bindsTo.includes(other.script)) found.add(other);
    return [...found];
  };
  return waiting.map(below).reduce((least, next) => (next.length < least.length ? next : least));
}
