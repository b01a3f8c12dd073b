// What a target stands for: `local`, `cloudflare`, `ssh://[user@]host[:port]`, or a group of the host file.
import { nearest } from "#shared/text/nearest.ts";
import { escaped } from "#shared/text/visible.ts";
import { isMalformed, isSshUrl, parseDestination } from "./destination.ts";
import { type Host, type Hosts, keyOf } from "./hosts.ts";
import { LOCAL, type Place } from "./place.ts";

/** A place before it has an id. Its address is that of the host file. */
export type Spot = Omit<Place, "id">;

/** The spots that agents are dealt to. */
export interface Pool {
  /** A group, or the host file, as a sentence begins; undefined for one spot that takes all. */
  readonly name?: string;
  readonly members: readonly { readonly spot: Spot; readonly slots: number }[];
}

export interface UnknownTarget {
  readonly message: string;
  readonly hint: string;
}

/** `ssh` alone is no target. */
const NAMES = ["local", "cloudflare"];
const WRITE = "Write ssh://user@host or ssh://user@host:port.";

/** A host that the host file names has the address and the expose that stand there. */
export function parseTarget(text: string, hosts: Hosts | undefined): Pool | UnknownTarget {
  if (text === "local") return one(spotOfThisMachine(hosts));
  if (text === "cloudflare") return one({ kind: "cloudflare", expose: "https" });
  if (isSshUrl(text)) {
    const parsed = parseDestination(text);
    // A target that is wrong may hold a password, so it is not shown.
    if (isMalformed(parsed)) return { message: parsed.message, hint: parsed.hint };
    const { destination, port } = parsed;
    const known = hosts?.hosts.find((other) => keyOf(other) === keyOf(parsed));
    return one(
      known === undefined
        ? { kind: "ssh", destination, ...(port === undefined ? {} : { port }), expose: "https" }
        : spotOf(known),
    );
  }
  const group = (hosts?.hosts ?? []).filter((host) => host.group === text);
  if (group.length > 0) return { name: `The group ${text}`, members: group.map(memberOf) };
  if (text === "ssh") return { message: "ssh alone names no host", hint: WRITE };
  return { message: `unknown target ${escaped(JSON.stringify(text.slice(0, 60)))}`, hint: hintOn(text, hosts) };
}

/** All hosts of the file, each once, with the slots of its first line. */
export function wholeFile({ hosts }: Hosts): Pool {
  const first = new Map(hosts.toReversed().map((host) => [keyOf(host), host]));
  return { name: "The host file", members: hosts.filter((host) => first.get(keyOf(host)) === host).map(memberOf) };
}

export function isUnknown(target: Pool | UnknownTarget): target is UnknownTarget {
  return "message" in target;
}

function one(spot: Spot): Pool {
  return { members: [{ spot, slots: 1 }] };
}

function memberOf(host: Host): Pool["members"][number] {
  return { spot: spotOf(host), slots: host.slots };
}

function spotOf({ slots: _, group: __, ...spot }: Host): Spot {
  return spot;
}

/** This machine has an address only where the host file gives it one. */
function spotOfThisMachine(hosts: Hosts | undefined): Spot {
  const here = hosts?.hosts.find(({ kind }) => kind === "local");
  return here === undefined ? { kind: "local", expose: LOCAL.expose } : spotOf(here);
}

function hintOn(text: string, hosts: Hosts | undefined): string {
  const names = [...NAMES, ...(hosts?.groups ?? [])];
  if (text === "localhost") return 'This machine is "local".';
  const asHost = `A host is written ssh://${text}.`;
  if (hosts?.hosts.some(({ destination }) => destination === text) === true) return asHost;
  const near = nearest(text, names);
  if (near !== undefined) return `Did you mean "${near}"?`;
  if (/[.@]/.test(text) && !isMalformed(parseDestination(text))) return asHost;
  const all = `There is: ${names.slice(0, 12).join(", ")}${names.length > 12 ? ", …" : ""}, ssh://user@host.`;
  return hosts === undefined ? `${all} Groups come with a host file: --hosts FILE.` : all;
}
