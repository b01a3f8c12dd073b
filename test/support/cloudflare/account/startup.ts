// Starts uploaded code in workerd before it is taken, as Cloudflare does: code that throws there or does not parse is refused.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import * as z from "zod";

import { workerdBinary } from "../../../../scripts/targets/local/processes/workerd.ts";
import { ApiError, doesNotStart } from "./api-error.ts";
import type { Code, Module, ModuleType } from "./worker.ts";

type Exports = Pick<Code, "handlers" | "classes">;

const Found = z.object({ handlers: z.array(z.string()), classes: z.array(z.string()) });

/** workerd's word for each kind of module. */
const FIELD: Record<ModuleType, string> = {
  esm: "esModule",
  cjs: "commonJsModule",
  text: "text",
  data: "data",
  wasm: "wasm",
  json: "json",
};

/** Far longer than code may take to start. */
const TIMEOUT_MS = 30_000;
const SAID = "TROUPE_EXPORTS ";
const PROBE = "troupe-probe.js";

/** One upload's code often is another's: each is started once. */
const known = new Map<string, Promise<Exports>>();

/** What the code exports. Throws ApiError 10021 with the words of workerd. */
export async function startUp(code: Omit<Code, keyof Exports>): Promise<Exports> {
  const key = JSON.stringify([code.etag, code.mainModule, code.compatibilityDate, code.compatibilityFlags]);
  const started = known.get(key) ?? probe(code);
  known.set(key, started);
  // On a busy machine, what did not start may start the next time.
  started.catch(() => known.delete(key));
  const exports = await started;
  if (exports.handlers.length + exports.classes.length > 0) return exports;
  throw new ApiError(400, 10_068, "The uploaded script has no registered event handlers.");
}

async function probe(code: Omit<Code, keyof Exports>): Promise<Exports> {
  const folder = await mkdtemp(join(tmpdir(), "troupe-startup-"));
  try {
    const modules = [{ name: PROBE, type: "esm", contents: Buffer.from(probeOf(code.mainModule)) }, ...code.modules];
    const listed = await Promise.all(modules.map((module, index) => written(folder, module as Module, index)));
    const config = join(folder, "config.capnp");
    await writeFile(
      config,
      `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = (
  modules = [${listed.join(", ")}],
  compatibilityDate = ${quoted(code.compatibilityDate)},
  compatibilityFlags = [${code.compatibilityFlags.map(quoted).join(", ")}]))]);
`,
    );
    return await run(config);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function run(config: string): Promise<Exports> {
  const { promise, resolve, reject } = Promise.withResolvers<Exports>();
  const options = { timeout: TIMEOUT_MS, killSignal: "SIGKILL" } as const;
  execFile(workerdBinary(), ["test", "--experimental", config], options, (error, stdout, stderr) => {
    const said = stdout.split("\n").find((line) => line.startsWith(SAID));
    if (error === null && said !== undefined) resolve(Found.parse(JSON.parse(said.slice(SAID.length))));
    else reject(doesNotStart(stderr.replaceAll(/^service main: /gm, "").trim() || "The Worker does not start."));
  });
  return promise;
}

async function written(folder: string, module: Module, index: number): Promise<string> {
  const file = join(folder, String(index), "module");
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, module.contents);
  return `(name = ${quoted(module.name)}, ${FIELD[module.type]} = embed ${quoted(`${index}/module`)})`;
}

const quoted = (text: string): string => JSON.stringify(text);

function probeOf(mainModule: string): string {
  return `import * as all from ${quoted(`./${mainModule}`)};
export default {
  test() {
    const { default: main, ...named } = all;
    const methods = typeof main === "function" ? Object.getOwnPropertyNames(main.prototype) : Object.keys(main ?? {});
    const handlers = methods.filter((name) => name !== "constructor");
    const classes = Object.keys(named).filter((name) => typeof named[name] === "function");
    console.log(${quoted(SAID)} + JSON.stringify({ handlers, classes }));
  },
};
`;
}
