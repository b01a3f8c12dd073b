// Has a host make the keys of its agents, and reads the public halves.
import { readFileSync } from "node:fs";
import { CliError } from "../../../terminal/cli-error.ts";
import { MAKE_KEYS, type PublicKeys, readPublicKeys } from "../keys/public-keys.ts";
import type { Shell } from "../ssh/connection.ts";

/** Name → the public halves of its keys. Keys that are there are kept. `folder`: absolute, on the host. */
export async function makeKeys(
  connection: Shell,
  folder: string,
  names: readonly string[],
): Promise<Record<string, PublicKeys>> {
  const { code, stdout, stderr } = await connection.run(readFileSync(MAKE_KEYS, "utf8"), { args: [folder, ...names] });
  if (code === 0) return readPublicKeys(stdout, names);
  throw new CliError("failed", `${connection.to.id}: its keys cannot be made: ${stderr.trim() || `exit code ${code}`}`);
}
