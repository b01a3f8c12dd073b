// A bare workerd that serves one Worker and one class of its SQLite objects, kept on disk. It ends with the process that started it.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { quote } from "../../scripts/targets/local/processes/capnp.ts";
import { freePorts } from "../../scripts/targets/local/processes/ports.ts";
import { workerdBinary } from "../../scripts/targets/local/processes/workerd.ts";

export interface BareWorker {
  /** The Worker's module, whole. */
  readonly code: string;
  /** Its class of objects, bound as OBJECTS. */
  readonly className: string;
  /** Name → text. */
  readonly bindings: Readonly<Record<string, string>>;
  /** The body of a request to /ready that a Worker which is up answers with 200. */
  readonly ready: string;
}

const TRIES = 500;
const PAUSE_MS = 20;

/** Prints URL and process id once the Worker answers. */
export async function serveBare({ code, className, bindings, ready }: BareWorker): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "troupe-bare-"));
  const [port = 0] = await freePorts(1);
  const texts = Object.entries(bindings).map(([name, text]) => `(name = ${quote(name)}, text = ${quote(text)})`);
  mkdirSync(join(folder, "data"));
  writeFileSync(join(folder, "worker.js"), code);
  writeFileSync(
    join(folder, "config.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "data", disk = (path = ${quote(join(folder, "data"))}, writable = true)),
    (name = "network", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-10-15",
  globalOutbound = "network",
  durableObjectNamespaces = [(className = ${quote(className)}, uniqueKey = ${quote(className)}, enableSql = true)],
  durableObjectStorage = (localDisk = "data"),
  bindings = [${[`(name = "OBJECTS", durableObjectNamespace = ${quote(className)})`, ...texts].join(", ")}],
);`,
  );
  const child = spawn(workerdBinary(), ["serve", join(folder, "config.capnp")], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  process.on("SIGTERM", () => child.kill());
  child.on("exit", () => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(0);
  });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; !(await answers(`${url}/ready`, ready)); tries++) {
    if (tries === TRIES) throw new Error(`The Worker of ${className} does not answer.`);
    await delay(PAUSE_MS);
  }
  console.log(`${url} ${child.pid}`);
}

function answers(url: string, body: string): Promise<boolean> {
  return fetch(url, { method: "POST", body }).then(
    ({ ok }) => ok,
    () => false,
  );
}
