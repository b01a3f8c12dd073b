// Bundles every Worker with esbuild, once for all targets: <home>/build/<worker>/index.js. Builds again only when an
// input has changed.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { performance } from "node:perf_hooks";

import type { BuildFailure, BuildOptions, BuildResult as EsbuildResult, Message, Plugin } from "esbuild";
import * as z from "zod";

import { writeFileAtomically } from "./atomic-file.ts";
import { CliError } from "../terminal/cli-error.ts";
import { PROJECT, workerNames } from "./project.ts";
import { PRELUDE_INPUTS, sourceTable, stackPrelude, withTable } from "./source-table.ts";
import { WORKER_FORMAT } from "./worker-format.ts";

const Bundle = z.object({
  worker: z.string(),
  /** Its main module, as a path in the project. */
  entry: z.string(),
  /** Absolute path of the bundle. */
  path: z.string(),
  /** Classes of Durable Objects that the module exports: exports that begin with a capital letter. */
  objects: z.array(z.string()),
  /** The project's own files in it, as paths in the project. */
  inputs: z.array(z.string()),
  /** SHA-256 of the module, in hex. */
  hash: z.string(),
});
/** Holds no absolute path, so that a build may be copied. */
const Manifest = z.object({
  key: z.string(),
  inputs: z.array(z.string()),
  bundles: z.array(Bundle.omit({ path: true })),
});

type Manifest = z.infer<typeof Manifest>;
export type Bundle = z.infer<typeof Bundle>;

export interface BuildResult {
  /** Worker → bundle: the agents by their folder's name, and `control-plane` and `offline-model`. */
  readonly bundles: ReadonlyMap<string, Bundle>;
  /** Agents that do not build → esbuild's errors. */
  readonly broken: ReadonlyMap<string, readonly Message[]>;
  /** False when the last build was current. */
  readonly built: boolean;
  readonly durationMs: number;
}

/** These packages do not declare that they are free of side effects; treated so, they take 11 KiB (gzip) instead of 37. */
const PURE = /^@(opentelemetry|microlabs)\//;
const pureImports: Plugin = {
  name: "pure-imports",
  setup(build) {
    build.onResolve({ filter: PURE }, async ({ path, importer, kind, resolveDir, pluginData }) => {
      if (pluginData === PURE) return undefined; // The call below comes back here.
      const resolved = await build.resolve(path, { importer, kind, resolveDir, pluginData: PURE });
      return { ...resolved, sideEffects: false };
    });
  },
};

/** Every job needs them. */
const OWN_WORKERS = ["control-plane", "offline-model"];

const OPTIONS = {
  ...WORKER_FORMAT,
  minify: true,
  sourcemap: "external",
  sourcesContent: false,
  legalComments: "none",
  logLevel: "silent",
  metafile: true,
  write: false,
} satisfies BuildOptions;

/**
 * Bundles all Workers, or `workers` (name → module, as a path in the project), into `<home>/build`. May be repeated. An agent that does
 * not build stops no other. Throws CliError when the control plane or the offline model does not build.
 */
export async function buildWorkers(home: string, workers?: Readonly<Record<string, string>>): Promise<BuildResult> {
  const started = performance.now();
  const folder = join(home, "build");
  const manifestPath = join(folder, "manifest.json");
  const entries = workers ?? (await entryPoints());
  const last = await readManifest(manifestPath);
  const kept = (last?.bundles ?? []).map((item) => ({ ...item, path: pathOf(folder, item.worker) }));
  const current = last !== undefined && last.key === (await keyOf(entries, last.inputs)) && (await intact(kept));
  const { bundles, broken } = current
    ? { bundles: kept, broken: new Map() }
    : await bundle(entries, folder, manifestPath);
  return {
    broken,
    bundles: new Map(bundles.map((item) => [item.worker, item])),
    built: !current,
    durationMs: performance.now() - started,
  };
}

function pathOf(folder: string, worker: string): string {
  return join(folder, worker, "index.js");
}

/** Path of a bundle's table of source lines. */
export function tablePath(bundle: string): string {
  return bundle.replace(/\.js$/, ".lines.json");
}

/** The bundle of one Worker. Throws CliError without one, which cannot happen for a job that loadJob has checked. */
export function bundleOf(bundles: ReadonlyMap<string, Bundle>, worker: string): Bundle {
  const found = bundles.get(worker);
  if (found === undefined) throw new CliError("failed", `There is no Worker "${worker}" in workers/.`);
  return found;
}

async function entryPoints(): Promise<Record<string, string>> {
  const entries = OWN_WORKERS.map((name) => [name, `workers/${name}/index.ts`] as const);
  const agents = (await workerNames())
    .map((name) => [name, `workers/agents/${name}/index.ts`] as const)
    // A job with an empty Worker folder is refused earlier; other jobs must not fail for it.
    .filter(([, path]) => existsSync(join(PROJECT, path)));
  return Object.fromEntries([...entries, ...agents]);
}

/** Builds all Workers at once, which is faster; if that fails, one by one, so that a broken one stops no other. */
async function bundle(
  entries: Readonly<Record<string, string>>,
  folder: string,
  manifestPath: string,
): Promise<{ readonly bundles: readonly Bundle[] } & Pick<BuildResult, "broken">> {
  const [whole, prelude] = await Promise.all([runEsbuild(entries, folder), stackPrelude()]);
  if (!("errors" in whole)) {
    const bundles = await writeBundles(entries, whole, folder, prelude);
    const inputs = [...PRELUDE_INPUTS, ...Object.keys(whole.metafile.inputs)].toSorted();
    const manifest = Manifest.parse({ key: await keyOf(entries, inputs), inputs, bundles });
    await writeFileAtomically(manifestPath, JSON.stringify(manifest, null, 2));
    return { bundles, broken: new Map() };
  }
  const bundles: Bundle[] = [];
  const broken = new Map<string, readonly Message[]>();
  for (const [worker, entry] of Object.entries(entries)) {
    const one = await runEsbuild({ [worker]: entry }, folder);
    if ("errors" in one) broken.set(worker, one.errors);
    else bundles.push(...(await writeBundles({ [worker]: entry }, one, folder, prelude)));
  }
  for (const worker of OWN_WORKERS) {
    const said = broken.get(worker)?.map(({ text, location }) => `${location?.file}:${location?.line}: ${text}`);
    if (said === undefined) continue;
    throw new CliError("failed", `The Worker ${worker} does not build:\n${said.join("\n")}`, "Run: npm run check");
  }
  return { bundles, broken };
}

async function writeBundles(
  entries: Readonly<Record<string, string>>,
  { metafile, outputFiles }: Built,
  folder: string,
  prelude: string,
): Promise<Bundle[]> {
  const bundles: Bundle[] = [];
  for (const [worker, entry] of Object.entries(entries)) {
    const path = pathOf(folder, worker);
    const { exports = [], inputs = {} } = metafile.outputs[relative(PROJECT, path).split(sep).join("/")] ?? {};
    const [code = "", map = ""] = [path, `${path}.map`].map(
      (name) => outputFiles.find((file) => file.path === name)?.text,
    );
    const table = sourceTable(map, dirname(path), 1);
    const contents = Buffer.from(`${withTable(prelude, table)}\n${code}`);
    await mkdir(dirname(path), { recursive: true });
    await writeFileAtomically(path, contents);
    await writeFileAtomically(tablePath(path), JSON.stringify(table));
    bundles.push({
      worker,
      entry,
      path,
      objects: exports.filter((exported) => /^[A-Z]/.test(exported)).toSorted(),
      inputs: Object.keys(inputs).filter((input) => /^(workers|shared|test)\//.test(input)),
      hash: sha256(contents),
    });
  }
  return bundles;
}

type Built = Pick<EsbuildResult<typeof OPTIONS>, "metafile" | "outputFiles">;

/** The outputs, or the errors of the build. */
async function runEsbuild(
  entries: Readonly<Record<string, string>>,
  folder: string,
): Promise<Built | { readonly errors: readonly Message[] }> {
  const esbuild = await import("esbuild");
  const entryPointsByOutput = Object.entries(entries).map(([name, path]) => ({ in: path, out: `${name}/index` }));
  try {
    const { metafile, outputFiles } = await esbuild.build({
      ...OPTIONS,
      plugins: [pureImports],
      absWorkingDir: PROJECT,
      entryPoints: entryPointsByOutput,
      outdir: folder,
    });
    return { metafile, outputFiles };
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    return { errors: error.errors };
  }
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && "errors" in error;
}

/** A hash of all inputs, the list of Workers, the options and the lock file. */
async function keyOf(entries: Readonly<Record<string, string>>, inputs: readonly string[]): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([OPTIONS, entries, inputs]));
  for (const input of ["package-lock.json", ...inputs]) {
    try {
      hash.update(await readFile(join(PROJECT, input)));
    } catch {
      // A missing input changes the key too.
      hash.update(`missing ${input}`);
    }
  }
  return hash.digest("hex");
}

async function intact(bundles: readonly Bundle[]): Promise<boolean> {
  const hashes = await Promise.all(bundles.map(async ({ path }) => readFile(path).then(sha256, () => undefined)));
  return bundles.every(({ hash }, index) => hashes[index] === hash);
}

async function readManifest(path: string): Promise<Manifest | undefined> {
  try {
    return Manifest.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    // Absent, or of another version: the Workers are built again.
    return undefined;
  }
}

function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
