// What it costs to know who asks, in CPU of a bare workerd beyond a request without credentials: a token between agents, its body
// included, and a person's key.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { WORKER_FORMAT } from "../../scripts/project/worker-format.ts";
import { renderConfig } from "../../scripts/targets/local/processes/capnp.ts";
import { freePorts } from "../../scripts/targets/local/processes/ports.ts";
import { workerdBinary } from "../../scripts/targets/local/processes/workerd.ts";
import { eventually } from "../support/deployment.ts";
import { aims } from "./aims.ts";
import { cpuMs } from "./processes.ts";

const ROUNDS = 7;
const COUNT = 3_000;
const START_MS = 10_000;
const CARRIED = ["nothing", "key", "token"] as const;
type Carried = (typeof CARRIED)[number];

export async function admission(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "troupe-a2a-"));
  const [port = 0] = await freePorts(1);
  await writeWorker(folder, port);
  const child = spawn(workerdBinary(), ["serve", "config.capnp"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = once(child, "exit");
  const run = async (step: "sign" | "admit", carried: Carried, count: number) => {
    const body = JSON.stringify({ step, with: carried, count });
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body });
    if (!response.ok) throw new Error(`The Worker cannot ${step} with ${carried}: ${await response.text()}`);
    return true;
  };
  /** Microseconds of CPU for one request. */
  const cpuUs = async (step: "sign" | "admit", carried: Carried) => {
    const before = await cpuMs(child.pid ?? 0);
    await run(step, carried, COUNT);
    return (((await cpuMs(child.pid ?? 0)) - before) * 1_000) / COUNT;
  };
  try {
    await eventually(async () => run("sign", "nothing", 1).catch(() => undefined), START_MS, "the Worker answers");
    const signs: number[] = [];
    const checks: Record<Carried, number[]> = { nothing: [], key: [], token: [] };
    for (let round = 0; round < ROUNDS; round++) {
      for (const carried of CARRIED) {
        const sign = await cpuUs("sign", carried);
        if (carried === "token") signs.push(sign);
        checks[carried].push(await cpuUs("admit", carried));
      }
    }
    const beyond = (carried: Carried) => checks[carried].map((us, round) => us - (checks.nothing[round] ?? Number.NaN));
    console.log(
      aims([
        { what: "CPU µs to check an agent's token", most: 200, values: beyond("token"), digits: 0 },
        { what: "CPU µs to sign one", most: 200, values: signs, digits: 0 },
        { what: "CPU µs to check a person's key", most: 200, values: beyond("key"), digits: 0 },
      ]),
    );
  } finally {
    child.kill();
    await ended;
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeWorker(folder: string, port: number): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, "worker", "admissions.ts")],
    outfile: join(folder, "worker.js"),
    ...WORKER_FORMAT,
    minify: true,
    logLevel: "silent",
  });
  const sockets = [{ name: "http", address: `127.0.0.1:${port}`, service: "admissions" }];
  const workers = [{ name: "admissions", module: "worker.js", bindings: [] }];
  await writeFile(join(folder, "config.capnp"), renderConfig({ workers, externals: [], sockets }));
}
