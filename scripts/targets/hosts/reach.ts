// How this machine reaches what listens on hosts: one connection a host, and a port here for each port there that is asked for. All of a
// command's requests share them, until it ends.
import { once } from "node:events";
import { createServer } from "node:net";
import { keyOf } from "#jobs/placement/hosts.ts";
import type { Place } from "#jobs/placement/place.ts";
import { troupeHome } from "../../project/project.ts";
import { Connection, type Shell } from "./ssh/connection.ts";
import { OwnShell } from "./ssh/own-shell.ts";

interface Host {
  readonly connection: Promise<Connection>;
  /** Port there → port here. */
  readonly forwarded: Map<number, Promise<number>>;
}

/** By what ssh is given: two jobs may call different hosts the same. */
const hosts = new Map<string, Host>();

/** Runs scripts at a place. The connection to a host is opened with the first use. Throws CliError. */
export async function shellAt(place: Place, signal: AbortSignal): Promise<Shell> {
  return place.kind === "local" ? new OwnShell(troupeHome()) : hostOf(place, signal).connection;
}

/** Where a port of the host is reached on this machine: `http://127.0.0.1:<port>`. Throws CliError. */
export async function reach(place: Place, port: number, signal: AbortSignal): Promise<string> {
  if (place.kind === "local") return `http://127.0.0.1:${port}`;
  const { connection, forwarded: all } = hostOf(place, signal);
  const forwarded = all.get(port) ?? forward(connection, port);
  all.set(port, forwarded);
  forwarded.catch(() => all.delete(port));
  return `http://127.0.0.1:${await forwarded}`;
}

/** Ends the connection to a host that no longer answers. The next use opens another. */
export function forget(place: Place): void {
  const host = hosts.get(keyOf(place));
  hosts.delete(keyOf(place));
  if (host) void host.connection.then(async (connection) => connection[Symbol.asyncDispose]()).catch(() => {});
}

function hostOf(place: Place, signal: AbortSignal): Host {
  const key = keyOf(place);
  const known = hosts.get(key);
  if (known) return known;
  const { id, destination = id, port } = place;
  const connection = Connection.open({ id, destination, ...(port === undefined ? {} : { port }) }, { signal });
  const host = { connection, forwarded: new Map<number, Promise<number>>() };
  hosts.set(key, host);
  connection.catch(() => {
    if (hosts.get(key) === host) hosts.delete(key);
  });
  return host;
}

const TRIES = 3;

async function forward(connection: Promise<Connection>, port: number): Promise<number> {
  const open = await connection;
  for (let tries = 1; ; tries++) {
    const here = await anyPort();
    try {
      await open.forward(here, port);
      return here;
    } catch (error) {
      // Another program may have taken the port meanwhile.
      if (tries === TRIES) throw error;
    }
  }
}

/** One that the system chooses: none of those from which listeners of jobs choose theirs. */
async function anyPort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}
