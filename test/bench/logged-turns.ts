// A bare workerd with the object of worker/logged-turn.ts, and the model beside it: a server that calls five tools, then answers.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";

import { build } from "esbuild";
import * as z from "zod";

import { ANY_NETWORK, renderConfig } from "../../scripts/targets/local/processes/capnp.ts";
import { WORKER_FORMAT } from "../../scripts/project/worker-format.ts";
import { freePorts } from "../../scripts/targets/local/processes/ports.ts";
import { workerdBinary } from "../../scripts/targets/local/processes/workerd.ts";
import { eventually } from "../support/deployment.ts";
import { answerEvents, type Piece } from "../support/messages-stream.ts";

const CALLS = 5;
const START_MS = 10_000;

export interface Manner {
  readonly log: boolean;
  readonly tools: "return" | "call out";
}

export interface LoggedTurns extends AsyncDisposable {
  /** What the model takes before it answers. */
  latencyMs: number;
  /** Runs one turn; resolves to the number of its steps. */
  run(manner: Manner): Promise<number>;
  /** Bytes that the process has caused to be written to the disk, and its calls of write; undefined where /proc does not tell. */
  written(): Promise<{ readonly disk: number; readonly calls: number } | undefined>;
}

export async function startLoggedTurns(): Promise<LoggedTurns> {
  const folder = await mkdtemp(join(tmpdir(), "troupe-logged-"));
  const [port = 0] = await freePorts(1);
  await writeWorker(folder, port);
  const child = spawn(workerdBinary(), ["serve", "config.capnp"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = once(child, "exit");
  const model = createServer({ keepAliveTimeout: 600_000 }).listen(0, "127.0.0.1");
  await once(model, "listening");
  const address = model.address();
  const modelUrl = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  const turns: LoggedTurns = {
    latencyMs: 0,
    async run(manner) {
      const body = JSON.stringify({ ...manner, modelUrl });
      const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body });
      if (!response.ok) throw new Error(`The turn failed: ${await response.text()}`);
      return z.object({ steps: z.number() }).parse(await response.json()).steps;
    },
    async written() {
      if (process.platform !== "linux") return undefined;
      const io = await readFile(`/proc/${child.pid}/io`, "utf8");
      const figure = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(io)?.[1]);
      return { disk: figure("write_bytes"), calls: figure("syscw") };
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
      model.closeAllConnections();
      model.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  model.on("request", (request, response) => {
    const serve = async () => {
      const body = await readText(request);
      if (request.url === "/tool") return void response.end(body);
      await answer(body, turns.latencyMs, response);
    };
    serve().catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  const isUp = () => turns.run({ log: true, tools: "return" }).catch(() => undefined);
  await eventually(isUp, START_MS, "the turns can be run");
  return turns;
}

async function answer(body: string, latencyMs: number, response: ServerResponse): Promise<void> {
  if (latencyMs > 0) await delay(latencyMs);
  response.writeHead(200, { "content-type": "text/event-stream" });
  const calls = Array.from({ length: CALLS }, (_, n): Piece => ({ tool: "work", input: { text: `part ${n}` } }));
  const pieces: Piece[] = body.includes('"tool_result"') ? [{ text: "It is done." }] : calls;
  let events = "";
  for await (const event of answerEvents("bench", crypto.randomUUID(), pieces))
    events += `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
  response.end(events);
}

async function writeWorker(folder: string, port: number): Promise<void> {
  await mkdir(join(folder, "data"));
  await build({
    entryPoints: [join(import.meta.dirname, "worker", "logged-turn.ts")],
    outfile: join(folder, "worker.js"),
    ...WORKER_FORMAT,
    minify: true,
    logLevel: "silent",
  });
  const worker = {
    name: "turns",
    module: "worker.js",
    bindings: [
      { name: "TURNS", kind: "object", className: "Turns" },
      { name: "NETWORK", kind: "service", service: ANY_NETWORK },
    ],
    storage: { folder: join(folder, "data"), classes: ["Turns"] },
  } as const;
  const sockets = [{ name: "http", address: `127.0.0.1:${port}`, service: "turns" }];
  await writeFile(join(folder, "config.capnp"), renderConfig({ workers: [worker], externals: [], sockets }));
}
