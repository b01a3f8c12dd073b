// Sends one file: what an earlier try left on the host counts, and nothing is in place before its hash is right.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

import { CliError } from "../../../terminal/cli-error.ts";
import type { Destination } from "./destination.ts";
import { lastLine } from "./explain.ts";
import type { Ran, RunOptions } from "./session.ts";

export type Content = { readonly path: string } | { readonly bytes: Uint8Array };

export interface SendOptions {
  /** In hex. */
  readonly sha256: string;
  /** 0o600 without it. */
  readonly mode?: number;
  /** Bytes of the file that are sent or were there already, and all of them. */
  readonly onProgress?: (sent: number, of: number) => void;
  readonly signal?: AbortSignal;
}

interface Host {
  readonly to: Destination;
  run(script: string, options: RunOptions): Promise<Ran>;
}

/** Prints "there", or how many bytes an earlier try left. */
const LOOK = `
to=$1 sha=$2 part=$3
if [ -f "$to" ] && [ "$(sha256sum <"$to" | cut -c1-64)" = "$sha" ]; then
  chmod "$4" "$to" && echo there
  exit
fi
mkdir -p "$(dirname "$to")" || exit
if [ -f "$part" ]; then wc -c <"$part"; else echo 0; fi
`;

/** Exit code 9: another content arrived. */
const TAKE = `
to=$1 sha=$2 part=$3
[ "$5" -gt 0 ] || rm -f "$part"
gzip -dc >>"$part" || exit
if [ "$(sha256sum <"$part" | cut -c1-64)" != "$sha" ]; then
  rm -f "$part"
  exit 9
fi
chmod "$4" "$part" && mv -f "$part" "$to"
`;
const WRONG_CONTENT = 9;

export async function sendFile(
  host: Host,
  content: Content,
  to: string,
  { sha256, mode = 0o600, onProgress, signal }: SendOptions,
): Promise<number> {
  if (!to.startsWith("/")) throw new TypeError(`${to} is no absolute path`);
  const size = "bytes" in content ? content.bytes.length : (await stat(content.path)).size;
  const args = [to, sha256, `${to}.${sha256.slice(0, 16)}.part`, mode.toString(8)];
  const options = { args, ...(signal === undefined ? {} : { signal }) };
  let bytes = 0;
  // The rest of a broken try may be damaged: then everything is sent once more.
  for (let attempt = 1; ; attempt++) {
    const found = await host.run(LOOK, options);
    if (found.code !== 0) throw refused(host.to, to, found);
    if (found.stdout.trim() === "there") return bytes;
    const left = Number(found.stdout.trim());
    const from = left <= size ? left : 0;
    const ran = await transfer();
    if (ran.code === 0) return bytes;
    if (ran.code !== WRONG_CONTENT) throw refused(host.to, to, ran);
    if (attempt === 2 || left === 0) {
      throw new CliError(
        "failed",
        `What arrived at ${host.to.id} as ${to} is not what was sent.`,
        "The file may have changed meanwhile. Run the command again.",
      );
    }

    async function transfer(): Promise<Ran> {
      const zip = createGzip({ level: 1 });
      zip.on("data", (chunk: Buffer) => (bytes += chunk.length));
      let sent = from;
      const counted = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
        for await (const chunk of source) {
          yield chunk;
          sent += chunk.length;
          onProgress?.(sent, size);
        }
      };
      const over = new AbortController();
      let unreadable: unknown;
      const piped = pipeline(read(content, from), counted, zip, { signal: over.signal }).catch((error: unknown) => {
        if (!over.signal.aborted) unreadable = error;
      });
      try {
        return await host.run(TAKE, { ...options, args: [...args, String(from)], input: zip });
      } catch (error) {
        throw unreadable ?? error;
      } finally {
        over.abort();
        await piped;
      }
    }
  }
}

function read(content: Content, from: number): Readable {
  return "bytes" in content
    ? Readable.from(slices(content.bytes, from))
    : createReadStream(content.path, { start: from });
}

function* slices(bytes: Uint8Array, from: number): Generator<Buffer> {
  for (let at = from; at < bytes.length; at += SLICE) yield Buffer.from(bytes.subarray(at, at + SLICE));
}

const SLICE = 65_536;

const REFUSALS: readonly (readonly [RegExp, string, string])[] = [
  [
    /No space left|Disk quota exceeded/i,
    "has no space left",
    "Free some, or have the quota raised; then run the command again: it goes on from there.",
  ],
  [/Read-only file system/i, "is read-only", "Have it mounted for writing, or use an account with another home."],
  [/Permission denied/i, "belongs to somebody else", "Make this account its owner there: chown"],
  [
    /sha256sum: *(command )?not found|gzip: *(command )?not found/i,
    "cannot be written, because gzip or sha256sum is missing",
    "Have gzip and coreutils installed there.",
  ],
];

function refused(host: Destination, path: string, { stderr, code }: Ran): CliError {
  for (const [written, what, next] of REFUSALS) {
    if (written.test(stderr)) return new CliError("failed", `The place of ${path} at ${host.id} ${what}.`, next);
  }
  const said = lastLine(stderr);
  return new CliError(
    "failed",
    `${path} cannot be written at ${host.id}: ${said === "" ? `exit code ${code}` : said}.`,
    "Mend that there, then run the command again.",
  );
}
