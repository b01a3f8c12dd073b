// A workerd that loads agents' bundles and asks each definition for a report. It listens on a free port of 127.0.0.1,
// lets no agent reach a network, and ends after the last question.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";

import * as z from "zod";

import { AgentReport } from "#shared/agent/inspection/report.ts";
import { parseJson } from "#shared/text/parse-json.ts";

import type { Bundle } from "../project/build.ts";
import { CliError } from "../terminal/cli-error.ts";
import { COMPATIBILITY_DATE, quote } from "../targets/local/processes/capnp.ts";
import { workerdBinary } from "../targets/local/processes/workerd.ts";

/** Time for a Worker to load, and for the report of each agent. */
const LIMIT_MS = 10_000;
const LIMIT_AGENT_MS = 20;
const MODULE = "index.js";

/** Runs before the agent's own module. */
const PRELUDE = `globalThis[Symbol.for("troupe.inspected")] = true;`;
/** Runs beside the agent's module and asks it without a request. */
const ASK = `import "./prelude.js";
import * as agent from "./${MODULE}";
export default {
  async fetch(request) {
    const inspect = agent.default?.[Symbol.for("troupe.inspect")];
    if (typeof inspect !== "function") return Response.json({ foreign: true });
    const reports = [];
    for (const config of await request.json()) reports.push(await inspect(config));
    return Response.json({ reports });
  },
};`;
const MAIN = `export default {
  async fetch(request, env) {
    const worker = new URL(request.url).pathname.slice(1);
    const modules = { "ask.js": env.ASK, "prelude.js": env.PRELUDE, "${MODULE}": env[worker] };
    const body = await request.text();
    const configuration = {
      compatibilityDate: "${COMPATIBILITY_DATE}",
      mainModule: "ask.js",
      modules,
      env: { AGENT: JSON.parse(body)[0] },
      globalOutbound: null,
    };
    try {
      const asked = env.LOADER.get(worker, () => configuration).getEntrypoint();
      return await asked.fetch("http://inspected/", { method: "POST", body });
    } catch (error) {
      return Response.json({ thrown: String(error?.message ?? error), stack: String(error?.stack ?? "") });
    }
  },
};`;

const WorkerReply = z.union([
  z.object({ reports: z.array(AgentReport) }),
  /** The default export was not made by defineAgent. */
  z.object({ foreign: z.literal(true) }),
  /** The module could not be loaded, or its definition could not be read. */
  z.object({ thrown: z.string(), stack: z.string() }),
]);
export type WorkerReply = z.infer<typeof WorkerReply>;

export interface WorkerQuestion {
  readonly bundle: Bundle;
  /** The AgentConfig of each agent that runs this Worker; at least one. */
  readonly configs: readonly unknown[];
}

/**
 * The answers in the order of the questions. A Worker that hangs or ends the process counts as thrown, and does not
 * stop the others.
 */
export async function askWorkers(
  home: string,
  questions: readonly WorkerQuestion[],
  signal: AbortSignal,
  limitMs = LIMIT_MS,
): Promise<WorkerReply[]> {
  const answers: WorkerReply[] = [];
  while (answers.length < questions.length) {
    const engine = await Engine.start(
      home,
      questions.map(({ bundle }) => bundle),
    );
    try {
      for (const question of questions.slice(answers.length)) {
        const answer = await engine.ask(question, signal, limitMs);
        answers.push(answer ?? { thrown: `it does not answer within ${limitMs / 1000} s`, stack: "" });
        if (answer === undefined) break;
      }
    } finally {
      await engine.end();
    }
  }
  return answers;
}

class Engine {
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #origin: string;

  private constructor(folder: string, child: ChildProcess, origin: string) {
    this.#folder = folder;
    this.#child = child;
    this.#origin = origin;
    process.once("exit", this.#kill);
  }

  /** Runs also when the command exits early. */
  readonly #kill = (): void => void this.#child.kill("SIGKILL");

  static async start(home: string, bundles: readonly Bundle[]): Promise<Engine> {
    const folder = await mkdtemp(join(home, "build", "inspection-"));
    const config = join(folder, "config.capnp");
    await writeFile(config, configuration(folder, bundles));
    const child = spawn(workerdBinary(), ["serve", "--experimental", config, "--control-fd=3"], {
      windowsHide: true,
      stdio: ["ignore", "ignore", "pipe", "pipe"],
    });
    try {
      return new Engine(folder, child, `http://127.0.0.1:${await portOf(child)}`);
    } catch (error) {
      child.kill("SIGKILL");
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Undefined without an answer: then the process cannot be used again. */
  async ask(
    { bundle, configs }: WorkerQuestion,
    signal: AbortSignal,
    limitMs: number,
  ): Promise<WorkerReply | undefined> {
    try {
      const response = await fetch(`${this.#origin}/${bundle.worker}`, {
        method: "POST",
        body: JSON.stringify(configs),
        signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs + configs.length * LIMIT_AGENT_MS)]),
      });
      const text = await response.text();
      const answer = WorkerReply.safeParse(parseJson(text));
      return answer.success ? answer.data : { thrown: text.slice(0, 1000), stack: "" };
    } catch {
      if (signal.aborted) throw new CliError("interrupted", "Interrupted; nothing was changed.");
      return undefined;
    }
  }

  async end(): Promise<void> {
    this.#kill();
    process.off("exit", this.#kill);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function configuration(folder: string, bundles: readonly Bundle[]): string {
  const texts = bundles.map(({ worker, path }) => {
    const embedded = relative(folder, path).split(sep).join("/");
    return `(name = ${quote(worker)}, text = embed ${quote(embedded)})`;
  });
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "nowhere", network = (allow = [])),
    (name = "main", worker = (
      modules = [(name = "main.js", esModule = ${quote(MAIN)})],
      compatibilityDate = ${quote(COMPATIBILITY_DATE)},
      globalOutbound = "nowhere",
      bindings = [
        (name = "LOADER", workerLoader = (id = "agents")),
        (name = "ASK", text = ${quote(ASK)}),
        (name = "PRELUDE", text = ${quote(PRELUDE)}),
        ${texts.join(",\n        ")},
      ])),
  ],
  sockets = [(name = "main", address = "127.0.0.1:0", http = (), service = "main")],
);
`;
}

const Listening = z.object({ event: z.literal("listen"), port: z.int().positive() });

/** The port on which workerd says that it listens. Throws CliError when it ends before. */
async function portOf(child: ChildProcess): Promise<number> {
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-2000);
  });
  const control = child.stdio[3];
  if (!(control instanceof Readable)) throw new TypeError("workerd was started without its control pipe");
  const failed = new Promise<never>((_, reject) => {
    child.once("error", (error) => reject(new CliError("failed", `workerd cannot be started: ${error.message}`)));
    child.once("exit", () => reject(new CliError("failed", `workerd ended while it inspected the agents:\n${said}`)));
  });
  // The process ends later on purpose, when nobody waits for this promise.
  failed.catch(() => undefined);
  const listening = new Promise<number>((resolve) => {
    createInterface({ input: control }).on("line", (line) => {
      const { data } = Listening.safeParse(parseJson(line));
      if (data !== undefined) resolve(data.port);
    });
  });
  return Promise.race([listening, failed]);
}
