// Looks at all hosts before anything is sent, and tells at once everything that is in the way.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { CliError } from "../../../terminal/cli-error.ts";
import type { Io } from "../../../terminal/io.ts";
import type { Shell } from "../ssh/connection.ts";
import { type Architecture, type HostFacts, readFacts } from "./facts.ts";
import { findingsOf } from "./findings.ts";
import { needsAt, type Wanted } from "./needs.ts";

export const FACTS =
  readFileSync(join(import.meta.dirname, "../../local/processes/process.sh"), "utf8") +
  readFileSync(join(import.meta.dirname, "facts.sh"), "utf8");

export interface CheckedHost {
  readonly connection: Shell;
  readonly architecture: Architecture;
  readonly facts: HostFacts;
}

interface Reached {
  /** That of the place in the plan. */
  readonly id: string;
  readonly connection: Shell;
}

/** Place → its host, and what that has. One round trip a host. Throws CliError with every finding of every host. `wanted`: plans of one job. */
export async function preflight(
  machines: readonly Reached[],
  wanted: readonly Wanted[],
  io: Io,
): Promise<Map<string, CheckedHost>> {
  const hosts = await Promise.all(
    machines.map(async ({ id, connection }) => {
      const needs = needsAt(wanted, id);
      const ports = needs.ports.map(({ port }) => port);
      return { id, connection, needs, facts: await factsOf(connection, { job: needs.job, ports }, io.signal) };
    }),
  );
  const findings = findingsOf(hosts);
  if (findings.length > 0) {
    const lines = findings.map(({ message, next }) => `${message} ${next}`);
    const count = findings.length === 1 ? "1 finding" : `${findings.length} findings`;
    throw new CliError("failed", lines.join("\n"), `${count}. Nothing was sent.`);
  }
  return new Map(
    hosts.flatMap(({ id, connection, facts }) => {
      const { architecture } = facts;
      return architecture === undefined ? [] : [[id, { connection, architecture, facts }] as const];
    }),
  );
}

/** The facts of one host; of listeners, those on these ports. Throws CliError where its answer cannot be read. */
export async function factsOf(
  connection: Shell,
  { job, ports }: { readonly job: string; readonly ports: readonly number[] },
  signal: AbortSignal,
): Promise<HostFacts> {
  const fromMs = Date.now();
  const { stdout, stderr } = await connection.run(FACTS, { args: [wantedPorts(ports), job], signal });
  try {
    return readFacts(stdout, { fromMs, toMs: Date.now() });
  } catch {
    const said = stderr.trim().split("\n").at(-1) || "nothing";
    throw new CliError(
      "failed",
      `${connection.to.id} does not tell what it has; it says: ${said}.`,
      "See whether its commands work: date, uname, df.",
    );
  }
}

/** As /proc/net/tcp writes them, for a pattern. */
export function wantedPorts(ports: readonly number[]): string {
  return ports.map((port) => port.toString(16).toUpperCase().padStart(4, "0")).join("|");
}
