// Brings a release to one host: the modules that it lacks, and the files of each process. Nothing that runs is touched.
import { readFile } from "node:fs/promises";
import type { RestartPolicy } from "#jobs/schema/schema.ts";
import { foldersOf, renderConfig } from "../../local/processes/capnp.ts";
import { BOOT, type Machine, SCRIPTS } from "../machine/machine.ts";
import type { HostProcess } from "./host-processes.ts";
import { wakeConfig } from "./wake-config.ts";
import { type HostFile, writeFiles } from "./write-files.ts";

export interface Module {
  /** On this machine. */
  readonly path: string;
  readonly sha256: string;
}

export interface HostRelease {
  readonly number: number;
  readonly processes: readonly HostProcess[];
  /** Path of the binary on the host. */
  readonly workerd: string;
  readonly restart: RestartPolicy;
  readonly modules: readonly Module[];
  /** Name → text of files beside the configurations: certificates. */
  readonly files: Readonly<Record<string, string>>;
  /** Name → text of files beside those of secrets. */
  readonly secretFiles: Readonly<Record<string, string>>;
}

/** Resolves to the bytes that were sent for modules. May be repeated. */
export async function sendRelease(machine: Machine, release: HostRelease): Promise<number> {
  const { connection, root } = machine;
  const distinct = new Map(release.modules.map((module) => [module.sha256, module]));
  const missing = await lacking(machine, [...distinct.keys()]);
  const sent = await Promise.all(
    missing.map(async (sha256) => {
      const module = distinct.get(sha256);
      if (module === undefined) return 0;
      return connection.send({ bytes: await readFile(module.path) }, `${root}/cache/modules/${sha256}.js`, { sha256 });
    }),
  );
  await writeFiles(connection, filesOf(machine, release));
  const folders = release.processes.flatMap(({ config }) => foldersOf(config));
  await connection.run('[ $# -eq 0 ] || mkdir -p "$@"', { args: folders });
  return sent.reduce((sum, bytes) => sum + bytes, 0);
}

function filesOf(
  machine: Machine,
  { number, processes, workerd, restart, files, secretFiles }: HostRelease,
): HostFile[] {
  const folder = machine.release(number);
  const lines = processes.map(({ name }) => `${name} ${restart} ${workerd}\n`);
  const texts = { ...SCRIPTS, ...files, processes: lines.join("") };
  return [
    { path: `${machine.folder}/boot.sh`, text: BOOT },
    ...Object.entries(texts).map(([name, text]) => ({ path: `${folder}/${name}`, text })),
    ...Object.entries(secretFiles).map(([name, text]) => ({ path: `${machine.secrets(number)}/${name}`, text })),
    ...processes.flatMap(({ name, config, environment, agents }) => [
      { path: `${folder}/config.${name}.capnp`, text: renderConfig(config) },
      { path: `${machine.secrets(number)}/${name}.env`, text: shellText(environment) },
      ...(agents.length === 0
        ? []
        : [{ path: `${folder}/wake.${name}.capnp`, text: wakeConfig(agents.map(({ url }) => url)) }]),
    ]),
  ];
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
