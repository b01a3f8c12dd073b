// Ports for the deployments of one file of tests alone, so that files, and whole runs, may go side by side.
import { once } from "node:events";
import { createServer } from "node:net";

/** As many as the largest file needs, jobs that are down included. The first of them is held: whoever has it has the others. */
const SIZE = 200;
const FIRST = 20_000;
const RANGES = 63;

async function hold(port: number): Promise<boolean> {
  const server = createServer().unref();
  try {
    await once(server.listen({ port, host: "127.0.0.1", exclusive: true }), "listening");
    return true;
  } catch {
    // Another file has this range, or a program that happens to listen there.
    return false;
  }
}

async function ownPorts(): Promise<string> {
  const begin = Math.floor(Math.random() * RANGES);
  for (let n = 0; n < RANGES; n++) {
    const first = FIRST + ((begin + n) % RANGES) * SIZE;
    if (await hold(first)) return `${first + 1}-${first + SIZE - 1}`;
  }
  throw new Error("Other tests have all ports.");
}

process.env["TROUPE_PORTS"] = await ownPorts();
