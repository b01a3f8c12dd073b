// Brings workerd to a host. Its name there carries its hash, and it gets that name only after a check, so that a deployment need not read it again.
import { progress } from "../../../corpus/progress.ts";
import { CliError } from "../../../terminal/cli-error.ts";
import type { Io } from "../../../terminal/io.ts";
import type { Shell } from "../ssh/connection.ts";
import type { Architecture } from "./architecture.ts";
import { type Binary, type Preparation, workerdFor } from "./binary.ts";
import { stripPackage } from "./strip.ts";

export interface Delivered {
  /** On the host, absolute. */
  readonly path: string;
  /** Compressed; 0 where it was there. */
  readonly bytesSent: number;
}

const IS_THERE = '[ -x "$1" ] && [ "$(wc -c <"$1")" -eq "$2" ]';
const TRY = '"$1" --version >/dev/null || { code=$?; rm -f "$1"; exit "$code"; }';

/**
 * Brings the workerd of the host's architecture to `~/.troupe/cache`. One round trip where it is there. Goes on where an earlier try broke
 * off. Throws CliError where it cannot be had or sent, or does not run there.
 */
export async function deliverWorkerd(
  connection: Shell,
  architecture: Architecture,
  preparation: Preparation,
): Promise<Delivered> {
  const { io } = preparation;
  const binary = await workerdFor(architecture, preparation);
  const path = `${connection.root}/cache/workerd-${binary.sha256.slice(0, 16)}`;
  const there = await connection.run(IS_THERE, { args: [path, String(binary.bytes)], signal: io.signal });
  if (there.code === 0) return { path, bytesSent: 0 };
  if (!binary.isStripped) io.note(whySoLarge(connection.to.id, architecture, binary));
  const bytesSent = await connection.send({ path: binary.path }, path, {
    sha256: binary.sha256,
    mode: 0o700,
    signal: io.signal,
    onProgress: tenths(io, connection.to.id, binary.bytes),
  });
  const { code, stderr } = await connection.run(TRY, { args: [path], signal: io.signal });
  if (code === 0) return { path, bytesSent };
  throw new CliError(
    "failed",
    `workerd does not run on ${connection.to.id}: ${stderr.trim().split("\n").at(-1) || `exit code ${code}`}.`,
    "Use a host with a 64-bit Debian 12, Ubuntu 22.04 or newer.",
  );
}

function whySoLarge(host: string, architecture: Architecture, { bytes }: Binary): string {
  const size = Math.round(bytes / 1e6);
  return `workerd for ${host} has ${size} MB, since nothing here can strip it. A third less: sudo apt-get install ${stripPackage(architecture)}`;
}

/** Notes each tenth of a long way, so that a slow line gives ten lines. */
function tenths(io: Io, host: string, bytes: number): (sent: number) => void {
  const megabytes = (count: number) => Math.round(count / 1e6);
  const report = progress(io, `Sending workerd to ${host}, MB`, megabytes(bytes));
  let last = 0;
  return (sent) => {
    const tenth = Math.floor((10 * sent) / bytes);
    if (tenth === last) return;
    last = tenth;
    report(megabytes(sent));
  };
}
