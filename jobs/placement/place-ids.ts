// Names of places: short, fit for files and sockets, and the same at each deployment.
import type { Spot } from "./target.ts";

const LONGEST = 40;
const RESERVED: ReadonlySet<string> = new Set(["local", "cloudflare"]);

/**
 * Key → id, unique, of a-z, 0-9 and -. A host is called by its name; hosts of one name also by user and port, and by a
 * number where that does not tell them apart.
 */
export function nameSpots(spots: ReadonlyMap<string, Spot>): Map<string, string> {
  const hosts = [...spots].filter(([, { kind }]) => kind === "ssh");
  const byName = Map.groupBy(hosts, ([, spot]) => slug(hostOf(spot)));
  const taken = new Set(RESERVED);
  const ids = new Map<string, string>();
  for (const [key, { kind }] of spots) if (kind !== "ssh") ids.set(key, kind);
  // Names that no other host has come first, so that no numbered one takes them.
  for (const [name, [only, ...others]] of byName) {
    if (only === undefined || others.length > 0 || taken.has(name)) continue;
    ids.set(only[0], name);
    taken.add(name);
  }
  for (const [key, spot] of hosts) {
    if (ids.has(key)) continue;
    const name = slug(`${spot.destination ?? ""}-${spot.port ?? ""}`);
    let id = name;
    for (let number = 2; taken.has(id); number++) id = `${name}-${number}`;
    ids.set(key, id);
    taken.add(id);
  }
  return ids;
}

function hostOf({ destination = "" }: Spot): string {
  return destination.slice(destination.lastIndexOf("@") + 1);
}

function slug(text: string): string {
  const words = text.toLowerCase().split(/[^a-z0-9]/);
  const name = words
    .filter((word) => word !== "")
    .join("-")
    .slice(0, LONGEST);
  return name.endsWith("-") ? name.slice(0, -1) : name || "host";
}
