// Gets a package of workerd from the registry that npm uses: the version of package-lock.json, and nothing with another hash.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdtemp, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";

import * as z from "zod";

import { reasonOf } from "#shared/text/reason.ts";
import { PROJECT } from "../../../project/project.ts";
import { CliError } from "../../../terminal/cli-error.ts";
import { type Io, noteIfSlow } from "../../../terminal/io.ts";
import { hasCode } from "../../../terminal/system-error.ts";

const exec = promisify(execFile);

export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  /** `sha512-` and the hash of the tarball in base64. */
  readonly integrity: string;
}

const Lock = z.object({
  packages: z.record(z.string(), z.object({ version: z.string().optional(), integrity: z.string().optional() })),
});

/** The entry of package-lock.json, which lists the packages of all platforms. Throws CliError without one. */
export async function lockedPackage(name: string): Promise<LockedPackage> {
  const lock = Lock.parse(JSON.parse(await readFile(join(PROJECT, "package-lock.json"), "utf8")));
  const { version, integrity } = lock.packages[`node_modules/${name}`] ?? {};
  if (version === undefined || integrity?.startsWith("sha512-") !== true) {
    throw new CliError("failed", `package-lock.json has no version of ${name} with a hash.`, "Run: npm install");
  }
  return { name, version, integrity };
}

/**
 * Resolves to the path of the binary in `folder`, where it stays. The caller holds the folder's lock. Throws CliError where npm cannot
 * get the package, or gets another one.
 */
export async function download(wanted: LockedPackage, folder: string, io: Io): Promise<string> {
  const path = join(folder, `workerd-${wanted.version}`);
  if (existsSync(path)) return path;
  await removeLeftovers(folder);
  const aside = await mkdtemp(join(folder, ASIDE));
  try {
    await noteIfSlow(io, `Downloading ${wanted.name} ${wanted.version}`, async () => pack(wanted, aside, io.signal));
    const [tarball] = (await readdir(aside)).filter((name) => name.endsWith(".tgz"));
    if (tarball === undefined || (await integrityOf(join(aside, tarball))) !== wanted.integrity) throw damaged(wanted);
    await exec("tar", ["-xzf", tarball, "package/bin/workerd"], { cwd: aside, signal: io.signal });
    const unpacked = join(aside, "package", "bin", "workerd");
    await flush(unpacked);
    await rename(unpacked, path);
    return path;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

const ASIDE = "download-";

/** Of commands that were killed. */
async function removeLeftovers(folder: string): Promise<void> {
  const left = (await readdir(folder)).filter((name) => name.startsWith(ASIDE));
  await Promise.all(left.map(async (name) => rm(join(folder, name), { recursive: true, force: true })));
}

/** npm knows the registry, its keys and the proxy. */
async function pack(wanted: LockedPackage, folder: string, signal: AbortSignal): Promise<void> {
  const { name, version } = wanted;
  const options = ["--pack-destination", folder, "--loglevel=error", "--ignore-scripts"];
  try {
    await exec("npm", ["pack", `${name}@${version}`, ...options], { cwd: PROJECT, signal });
  } catch (error) {
    signal.throwIfAborted();
    if (hasCode(error, "ENOENT")) {
      throw new CliError("failed", `npm, which downloads ${name}, is missing.`, "Install npm, then deploy again.");
    }
    const said = error instanceof Error && "stderr" in error ? String(error.stderr) : "";
    if (said.includes("EINTEGRITY")) throw damaged(wanted);
    const reasons = [...said.matchAll(/^npm (?:error|ERR!) (?!A complete log)(.+)$/gm)].map(([, line]) => line);
    throw new CliError(
      "failed",
      `npm cannot download ${name} ${version}: ${reasons.slice(0, 2).join(", ") || reasonOf(error)}.`,
      "See whether npm reaches its registry (npm ping), then deploy again.",
    );
  }
}

function damaged({ name, version }: LockedPackage): CliError {
  return new CliError(
    "failed",
    `What npm got as ${name} ${version} has not the hash of package-lock.json, so it is not used.`,
    "Run npm cache verify, then deploy again; if that remains, ask whoever runs the registry: npm config get registry",
  );
}

async function integrityOf(path: string): Promise<string> {
  const hash = createHash("sha512");
  await pipeline(createReadStream(path), hash);
  return `sha512-${hash.digest("base64")}`;
}

/** A power loss must not leave a part under the final name. */
async function flush(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
