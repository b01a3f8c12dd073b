// Where ssh would log in, as its configuration says. Nothing is connected to.
import { execFile } from "node:child_process";
import { isMalformed, parseAddress } from "#jobs/placement/destination.ts";

import { checkDestination, type Destination } from "./destination.ts";
import { environment } from "./master.ts";

/** A configuration may run programs (`Match exec`). */
const LIMIT_MS = 5_000;
/** What tells accounts apart: the same address behind two jump hosts is two machines. */
const OF_ACCOUNT = ["hostname", "user", "port", "proxyjump", "proxycommand", "hostkeyalias"];

export interface Login {
  /** Name or IP, of `HostName` where the configuration has one. */
  readonly address: string;
  /** The same for the same account of the same machine. */
  readonly account: string;
}

/**
 * Undefined where ssh does not tell within five seconds, or names no address. `config`: as for a connection. Throws
 * CliError for a destination that may not be handed to ssh.
 */
export async function loginOf(
  to: Destination,
  config = process.env["TROUPE_SSH_CONFIG"] || undefined,
): Promise<Login | undefined> {
  checkDestination(to);
  const args = [
    "-G",
    ...(config === undefined ? [] : ["-F", config]),
    ...(to.port === undefined ? [] : ["-p", String(to.port)]),
    "--",
    to.destination,
  ];
  const printed = await new Promise<string | undefined>((resolve) => {
    const limits = { timeout: LIMIT_MS, killSignal: "SIGKILL", env: environment() } as const;
    const ssh = execFile("ssh", args, limits, (error, stdout) => resolve(error === null ? stdout : undefined));
    ssh.stdin?.end();
  });
  const settings = new Map(printed?.split("\n").map((line) => splitOnce(line)));
  const address = parseAddress(settings.get("hostname") ?? "");
  if (isMalformed(address)) return undefined;
  return { ...address, account: JSON.stringify(OF_ACCOUNT.map((name) => settings.get(name) ?? null)) };
}

function splitOnce(line: string): [name: string, value: string] {
  const space = line.indexOf(" ");
  return space === -1 ? [line, ""] : [line.slice(0, space), line.slice(space + 1)];
}
