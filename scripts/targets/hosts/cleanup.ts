// Removes what jobs have left on hosts: data, releases, keys, and with the last job the caches.
import type { Place } from "#jobs/placement/place.ts";
import { reasonOf } from "#shared/text/reason.ts";
import type { Io } from "../../terminal/io.ts";
import { manyLines } from "../../terminal/terminal-text.ts";
import { machineAt } from "./job-machines.ts";

/**
 * Ends what still runs of the job at these places, and removes all that it has there. `caches`: also workerd and modules, where no other job
 * is. Resolves to the places that do not answer, which it notes.
 */
export async function removeFromHosts(
  job: string,
  places: readonly Place[],
  { caches, io }: { readonly caches: boolean; readonly io: Io },
): Promise<Place[]> {
  const all = places.map(async (place): Promise<Place[]> => {
    try {
      const machine = await machineAt(place, job, io.signal);
      await machine.stop();
      await machine.remove();
      if (caches) await machine.removeCaches();
      return [];
    } catch (error) {
      io.signal.throwIfAborted();
      io.note(manyLines(`${job} is not removed from ${place.id}: ${reasonOf(error)}`));
      return [place];
    }
  });
  return (await Promise.all(all)).flat();
}
