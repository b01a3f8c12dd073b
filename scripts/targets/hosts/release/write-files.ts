// Writes the small files of a release on a host: configurations, certificates, scripts, secrets. One round trip for all of them.
import { CliError } from "../../../terminal/cli-error.ts";
import type { Shell } from "../ssh/connection.ts";

export interface HostFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

/** Each line: `=`, the file as base64, a space and its path. Every file is whole or as it was. */
const WRITE = `
umask 077
while IFS=' ' read -r data path; do
  mkdir -p "\${path%/*}" && printf %s "\${data#=}" | base64 -d >"$path.new" && mv -f "$path.new" "$path" || exit
done
`;

/** Files for their owner alone. Throws CliError where one cannot be written. */
export async function writeFiles(connection: Shell, files: readonly HostFile[]): Promise<void> {
  const lines = files.map(({ path, text }) => `=${Buffer.from(text).toString("base64")} ${path}\n`);
  const { code, stderr } = await connection.run(WRITE, { input: lines.join("") });
  if (code === 0) return;
  throw new CliError(
    "failed",
    `${connection.to.id}: a file of the release cannot be written: ${stderr.trim() || `exit code ${code}`}.`,
    "Free disk space there, or make ~/.troupe writable, and deploy again.",
  );
}
