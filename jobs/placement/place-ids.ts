// Names of places: short, fit for files and sockets.
import type { Spot } from "./target.ts";

const LONGEST = 40;
const RESERVED: ReadonlySet<string> = new Set(["local", "cloudflare"]);

/**
 * Key → id, unique, of a-z, 0-9 and -. A host's id is what ssh is given: user, host and port, whatever other hosts a job
 * has, so that it stays at the next deployment. Only ids that would be the same have a number, in the order of the hosts.
 */
export function nameSpots(spots: ReadonlyMap<string, Spot>): Map<string, string> {
  const taken = new Set(RESERVED);
  const ids = new Map<string, string>();
  for (const [key, spot] of spots) {
    if (spot.kind !== "ssh") {
      ids.set(key, spot.kind);
      continue;
    }
    const name = slug(`${spot.destination ?? ""}-${spot.port ?? ""}`);
    let id = name;
    for (let number = 2; taken.has(id); number++) id = `${name}-${number}`;
    ids.set(key, id);
    taken.add(id);
  }
  return ids;
}

function slug(text: string): string {
  const words = text.toLowerCase().split(/[^a-z0-9]/);
  const name = words
    .filter((word) => word !== "")
    .join("-")
    .slice(0, LONGEST);
  return name.endsWith("-") ? name.slice(0, -1) : name || "host";
}
