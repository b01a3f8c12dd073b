// The addresses of a job's hosts that ssh's configuration knows: an alias means nothing to other machines.
import { placeAgents, type PlacementChoice } from "#jobs/placement/place-agents.ts";
import type { Place } from "#jobs/placement/place.ts";
import type { Job } from "#jobs/schema/schema.ts";

import { loginOf } from "../targets/hosts/ssh/login.ts";
import { CliError } from "../terminal/cli-error.ts";

/** Programs of ssh at once. */
const AT_ONCE = 8;

/**
 * The same choice with `addresses`. Asks ssh's configuration where a job is at two places or more, and connects to nothing.
 * Throws CliError where two places are one account, whose processes and folders they would share.
 */
export async function withAddresses(job: Job, choice: PlacementChoice): Promise<PlacementChoice> {
  const { places } = placeAgents(job, choice);
  if (places.length < 2) return choice;
  const hosts = places.filter(({ kind }) => kind === "ssh");
  const addresses: Record<string, string> = {};
  const accounts = new Map<string, Place>();
  for (let at = 0; at < hosts.length; at += AT_ONCE) {
    const some = hosts.slice(at, at + AT_ONCE).map(async (place) => ({ place, login: await login(place) }));
    for (const { place, login: found } of await Promise.all(some)) {
      if (found === undefined) continue;
      const other = accounts.get(found.account);
      if (other !== undefined) throw sameAccount(other, place);
      accounts.set(found.account, place);
      addresses[place.destination ?? ""] = found.address;
    }
  }
  return { ...choice, addresses };
}

async function login({ id, destination = id, port }: Place) {
  return loginOf({ id, destination, ...(port === undefined ? {} : { port }) });
}

function sameAccount(one: Place, other: Place): CliError {
  return new CliError(
    "bad_input",
    `${written(one)} and ${written(other)} are the same account of the same machine, as ssh's configuration says.`,
    "Write it the same way everywhere, in the job file and in the host file.",
  );
}

function written({ destination, port }: Place): string {
  return port === undefined ? `${destination}` : `${destination} (port ${port})`;
}
