// The workerd that hosts of an architecture get: from the dependencies or from npm, stripped where a program of this machine can do that.
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, readFile, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

import * as z from "zod";

import { parseJson } from "#shared/text/parse-json.ts";
import { writeFileAtomically } from "../../../project/atomic-file.ts";
import { type Io, noteIfSlow } from "../../../terminal/io.ts";
import { withLock } from "../../local/state/lock.ts";
import { type Architecture, PACKAGES } from "./architecture.ts";
import { download, lockedPackage } from "./download.ts";
import { strip } from "./strip.ts";

export interface Binary {
  /** On this machine. */
  readonly path: string;
  /** In hex. */
  readonly sha256: string;
  readonly bytes: number;
  readonly isStripped: boolean;
}

export interface Preparation {
  /** The folder of deployment state, absolute. */
  readonly home: string;
  readonly io: Io;
  /** npm package → its folder, if it is installed. */
  readonly installed?: (name: string) => string | undefined;
}

/** Another command may download and strip on a slow line. */
const PATIENCE_MS = 1_800_000;

const preparing = new Map<string, Promise<Binary>>();

/**
 * The binary, which is downloaded and stripped where it was not before, once for all hosts and commands: `<home>/cache/workerd`. Throws
 * CliError.
 */
export async function workerdFor(architecture: Architecture, preparation: Preparation): Promise<Binary> {
  const folder = join(preparation.home, "cache", "workerd", architecture);
  const known = preparing.get(folder);
  if (known !== undefined) return known;
  const prepared = prepareAlone(architecture, folder, preparation);
  preparing.set(folder, prepared);
  // The files may change until the next time.
  return prepared.finally(() => preparing.delete(folder));
}

async function prepareAlone(architecture: Architecture, folder: string, preparation: Preparation): Promise<Binary> {
  const { io } = preparation;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const onWait = () => io.note(`Another command prepares workerd for ${architecture}; waiting for it …`);
  const options = { patienceMs: PATIENCE_MS, onWait, signal: io.signal };
  return withLock(join(folder, "lock"), options, async () => prepare(architecture, folder, preparation));
}

async function prepare(
  architecture: Architecture,
  folder: string,
  { io, installed = folderOf }: Preparation,
): Promise<Binary> {
  const name = PACKAGES[architecture];
  const there = installed(name);
  const whole =
    there === undefined ? await download(await lockedPackage(name), folder, io) : join(there, "bin", "workerd");
  const { sha256 } = await hashed(whole, folder);
  const stripped = join(folder, `stripped-${sha256.slice(0, 16)}`);
  const isStripped =
    existsSync(stripped) ||
    (await noteIfSlow(io, `Stripping workerd for ${architecture}`, async () =>
      strip(whole, stripped, architecture, io.signal),
    ));
  return { ...(await hashed(isStripped ? stripped : whole, folder)), isStripped };
}

function folderOf(name: string): string | undefined {
  try {
    return join(createRequire(import.meta.url).resolve(`${name}/package.json`), "..");
  } catch {
    return undefined;
  }
}

const Hashes = z.record(z.string(), z.object({ bytes: z.int(), mtimeMs: z.number(), sha256: z.string() }));

/** The hash of a file, which is read again only when its size or time has changed. The caller holds the folder's lock. */
async function hashed(path: string, folder: string): Promise<Omit<Binary, "isStripped">> {
  const file = join(folder, "hashes.json");
  const { size: bytes, mtimeMs } = await stat(path);
  const hashes = Hashes.safeParse(parseJson(await readFile(file, "utf8").catch(() => ""))).data ?? {};
  const known = hashes[path];
  if (known?.bytes === bytes && known.mtimeMs === mtimeMs) return { path, bytes, sha256: known.sha256 };
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  const sha256 = hash.digest("hex");
  await writeFileAtomically(file, JSON.stringify({ ...hashes, [path]: { bytes, mtimeMs, sha256 } }, null, 2));
  return { path, bytes, sha256 };
}
