// What the tools of the agents have done outside: a server on 127.0.0.1 that writes one line for each run of a tool to a file,
// on the disk before it answers. It belongs to no process that is killed.
import { once } from "node:events";
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { text as readText } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";

import * as z from "zod";

import type { Random } from "./random.ts";

const Run = z.object({
  /** The call's idempotency key. */
  key: z.string(),
  agent: z.string(),
  tool: z.string(),
  taskId: z.string(),
  toolUseId: z.string(),
  input: z.unknown(),
});
export type Run = z.infer<typeof Run>;

/** How long a tool takes, in milliseconds. */
const SLOW_MS = [10, 150] as const;

export class Recorder {
  readonly url: string;
  readonly #file: string;
  readonly #server: Server;
  readonly #descriptor: number;

  private constructor(server: Server, file: string, random: Random) {
    const address = server.address();
    this.url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/`;
    this.#server = server;
    this.#file = file;
    this.#descriptor = openSync(file, "a");
    server.on("request", (request, response) => {
      const take = async () => {
        const run = Run.parse(JSON.parse(await readText(request)));
        writeSync(this.#descriptor, `${JSON.stringify(run)}\n`);
        fsyncSync(this.#descriptor);
        await delay(random.whole(...SLOW_MS));
        response.end("done");
      };
      // An agent that dies in the middle of its request has done nothing.
      take().catch(() => response.destroy());
    });
  }

  static async start(file: string, random: Random): Promise<Recorder> {
    const server = createServer({ keepAliveTimeout: 600_000 }).listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Recorder(server, file, random);
  }

  /** Every run there was, oldest first. */
  runs(): Run[] {
    const lines = readFileSync(this.#file, "utf8").split("\n");
    return lines.filter((line) => line !== "").map((line) => Run.parse(JSON.parse(line)));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
    closeSync(this.#descriptor);
  }
}
