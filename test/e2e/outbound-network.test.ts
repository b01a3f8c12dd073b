// The engine's own guard: a Worker's global fetch reaches no private address, whatever name stands for it. Checked with a
// Worker that checks nothing, in a workerd configured as those of jobs are.
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";

import { ANY_NETWORK, renderConfig } from "../../scripts/targets/local/processes/capnp.ts";
import { freePorts } from "../../scripts/targets/local/processes/ports.ts";
import { endProcess } from "../../scripts/targets/local/state/process.ts";
import { startWorkerd, type Workerd } from "../../scripts/targets/local/processes/workerd.ts";
import { eventually } from "../support/deployment.ts";

/** Answers what fetching `url` came to, over the Worker's own fetch or over a binding to any network. */
const FETCHER = `export default {
  async fetch(request, env) {
    const { url, over } = await request.json();
    try {
      const response = await (over ? env[over].fetch(url) : fetch(url));
      return Response.json({ body: await response.text() });
    } catch (error) {
      return Response.json({ error: String(error) });
    }
  },
};`;
const Outcome = z.union([z.object({ body: z.string() }), z.object({ error: z.string() })]);

let folder: string;
let workerd: Workerd;
let origin: string;
let trap: Server;
let trapPort: number;
let connections = 0;
beforeAll(async () => {
  trap = createServer((request, response) => response.end(`reached ${request.headers.host}`)).listen(0);
  trap.on("connection", () => (connections += 1));
  await once(trap, "listening");
  const address = trap.address();
  trapPort = typeof address === "object" && address !== null ? address.port : 0;

  folder = await mkdtemp(join(tmpdir(), "troupe-network-"));
  const [port = 0] = await freePorts(1);
  const file = (name: string) => join(folder, name);
  const bindings = [
    { name: "ANY", kind: "service", service: ANY_NETWORK },
    { name: "TRAP", kind: "service", service: "address:trap" },
  ] as const;
  const config = renderConfig({
    workers: [{ name: "fetcher", module: "fetcher.js", bindings }],
    externals: [{ name: "address:trap", address: `127.0.0.1:${trapPort}`, foreign: {} }],
    sockets: [{ name: "http", address: `127.0.0.1:${port}`, service: "fetcher" }],
  });
  await writeFile(file("fetcher.js"), FETCHER);
  await writeFile(file("config.capnp"), config);
  workerd = await startWorkerd({ config: file("config.capnp"), log: file("log"), dataLock: file("lock"), secrets: {} });
  origin = `http://127.0.0.1:${port}`;
  await eventually(async () => (await isUp()) || undefined, 10_000, "workerd answers");
});
afterAll(async () => {
  await endProcess(workerd.identity);
  trap.close();
  await rm(folder, { recursive: true, force: true });
});

async function isUp(): Promise<boolean> {
  try {
    return (await fetch(origin, { method: "POST", body: '{"url":"data:,"}' })).ok;
  } catch {
    // Not listening yet.
    return false;
  }
}

async function reach(host: string, over?: "ANY" | "TRAP"): Promise<z.infer<typeof Outcome>> {
  const url = host.includes(":/") ? host : `http://${host}:${trapPort}/`;
  const response = await fetch(origin, { method: "POST", body: JSON.stringify({ url, over }) });
  return Outcome.parse(await response.json());
}

test("what a private network's server answers is reached over a binding to any network", async () => {
  expect(await reach("127.0.0.1", "ANY")).toEqual({ body: `reached 127.0.0.1:${trapPort}` });
});

test("a binding to an address of an agent's settings reaches that server, and it hears the host that it was asked for", async () => {
  expect(await reach("127.0.0.1", "TRAP")).toEqual({ body: `reached 127.0.0.1:${trapPort}` });
  expect(await reach("http://search.example/", "TRAP")).toEqual({ body: "reached search.example" });
});

test.each(["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", hostname(), "http://169.254.169.254/"])(
  "a Worker's own fetch does not reach %s, and no connection is made",
  async (host) => {
    const before = connections;
    expect(await reach(host)).toHaveProperty("error");
    expect(connections).toBe(before);
  },
);
