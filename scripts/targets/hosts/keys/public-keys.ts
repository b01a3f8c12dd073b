// What make-keys.sh prints on a host: the public halves of the keys that it made there.
import { createPublicKey } from "node:crypto";
import { fileURLToPath } from "node:url";

import { CliError } from "../../../terminal/cli-error.ts";

/** Path of the script that makes the keys; it explains its arguments and files. */
export const MAKE_KEYS = fileURLToPath(new URL("make-keys.sh", import.meta.url));

export interface PublicKeys {
  /** Checks the agent's tokens: 32 bytes, base64url. */
  readonly signing: string;
  /** Gets a certificate: SPKI, PEM. */
  readonly tls: string;
}

/** Name → its keys, out of the script's output. Other lines, such as a login shell's, are skipped. Throws CliError where one is missing. */
export function readPublicKeys(output: string, names: readonly string[]): Record<string, PublicKeys> {
  const lines = output.matchAll(/^key ([a-z0-9_-]+) ([\w-]{43}) ([A-Za-z0-9+/]{122}==)\r?$/gm);
  const found = new Map(Array.from(lines, ([, name = "", signing = "", tls = ""]) => [name, { signing, tls }]));
  return Object.fromEntries(
    names.map((name) => {
      const keys = found.get(name);
      if (keys === undefined) throw missing(name);
      return [name, { signing: keys.signing, tls: pem(keys.tls) }];
    }),
  );
}

function pem(base64: string): string {
  const key = createPublicKey({ key: Buffer.from(base64, "base64"), format: "der", type: "spki" });
  return key.export({ format: "pem", type: "spki" }).toString();
}

function missing(name: string): CliError {
  return new CliError("failed", `The host sent no keys of ${name}.`, "Deploy again; keys that are made are kept.");
}
