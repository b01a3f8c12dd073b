// Brings a release to one host: the modules that it lacks, and the files of each process. Nothing that runs is touched.
import { readFile } from "node:fs/promises";
import { type Machine, SCRIPTS } from "../machine/machine.ts";
import { foldersOf, renderConfig } from "../../local/processes/capnp.ts";
import type { HostProcess } from "./host-processes.ts";
import { writeFiles } from "./write-files.ts";

export interface Module {
  /** On this machine. */
  readonly path: string;
  readonly sha256: string;
}

export interface HostRelease {
  readonly number: number;
  readonly processes: readonly HostProcess[];
  readonly modules: readonly Module[];
  /** Name → text of files beside the configurations: certificates. */
  readonly files: Readonly<Record<string, string>>;
}

/** Where a module lies, from the folder of a release. Releases and jobs share it. */
export function moduleOf(sha256: string): string {
  return `../../../../cache/modules/${sha256}.js`;
}

/** Resolves to the bytes that were sent for modules. May be repeated. */
export async function sendRelease(
  machine: Machine,
  { number, processes, modules, files }: HostRelease,
): Promise<number> {
  const { connection, root } = machine;
  const distinct = new Map(modules.map((module) => [module.sha256, module]));
  const missing = await lacking(machine, [...distinct.keys()]);
  const sent = await Promise.all(
    missing.map(async (sha256) => {
      const module = distinct.get(sha256);
      if (module === undefined) return 0;
      return connection.send({ bytes: await readFile(module.path) }, `${root}/cache/modules/${sha256}.js`, { sha256 });
    }),
  );
  const folder = machine.release(number);
  const texts = { ...SCRIPTS, ...files };
  await writeFiles(connection, [
    ...Object.entries(texts).map(([name, text]) => ({ path: `${folder}/${name}`, text })),
    ...processes.flatMap(({ name, config, environment }) => [
      { path: `${folder}/config.${name}.capnp`, text: renderConfig(config) },
      { path: machine.secretsFile(number, name), text: shellText(environment) },
    ]),
  ]);
  const folders = processes.flatMap(({ config }) => foldersOf(config));
  await connection.run('umask 077; [ $# -eq 0 ] || mkdir -p "$@"', { args: folders });
  return sent.reduce((sum, bytes) => sum + bytes, 0);
}

/** Those of the modules that are not on the host. */
async function lacking({ connection, root }: Machine, hashes: readonly string[]): Promise<string[]> {
  const script =
    'cd "$1/cache/modules" 2>/dev/null || mkdir -p "$1/cache/modules"; shift; for f; do [ -f "$f.js" ] || echo "$f"; done';
  const { stdout } = await connection.run(script, { args: [root, ...hashes] });
  const missing = new Set(stdout.split("\n"));
  return hashes.filter((sha256) => missing.has(sha256));
}

/** Assignments that a POSIX sh reads: values are quoted, and files are read there. */
function shellText(environment: HostProcess["environment"]): string {
  return Object.entries(environment)
    .map(([name, source]) =>
      "file" in source ? `${name}=$(cat ${quoted(source.file)})\n` : `${name}=${quoted(source.value)}\n`,
    )
    .join("");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
