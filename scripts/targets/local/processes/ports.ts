// Ports on this machine: finding free ones, and telling whether one is taken.
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

import * as z from "zod";

import { CliError } from "../../../terminal/cli-error.ts";

const HOST = "127.0.0.1";

/**
 * Below the ports that systems give to outgoing connections (Linux from 32768 on, macOS and Windows from 49152): a port of a job
 * that is down is still free when it is started again.
 */
const RANGE = { from: 20_000, to: 32_767 };
const MAX_TRIES = 1_000;
const POLL_MS = 20;

/** `count` different ports that are free now, and none of `others`. Throws CliError when those that TROUPE_PORTS names are too few. */
export async function freePorts(count: number, others: ReadonlySet<number> = new Set()): Promise<number[]> {
  const named = namedRange();
  const { from, to } = named ?? RANGE;
  // All are held until the last is found, so that no two are the same.
  const held: Listener[] = [];
  try {
    for (let tries = 0; held.length < count; tries++) {
      const isLate = tries >= MAX_TRIES;
      if (isLate && named !== undefined)
        throw new CliError(
          "failed",
          `Too few ports from ${from} to ${to} are free.`,
          "Name more of them in TROUPE_PORTS.",
        );
      // Any other will do where this machine has hardly a port left in the range.
      const port = isLate ? 0 : from + Math.floor(Math.random() * (to - from + 1));
      const listener = others.has(port) ? undefined : await tryListen(port);
      if (listener) held.push(listener);
    }
  } finally {
    await Promise.all(held.map(async ({ close }) => close()));
  }
  return held.map(({ port }) => port);
}

const Port = z.coerce.number().int().min(1).max(65_535);
const Range = z.tuple([Port, Port]).refine(([from, to]) => from <= to);

/** The range that TROUPE_PORTS names, where it does. */
function namedRange(): { readonly from: number; readonly to: number } | undefined {
  const text = process.env["TROUPE_PORTS"];
  if (text === undefined || text === "") return undefined;
  const { data } = Range.safeParse(text.split("-"));
  if (data === undefined)
    throw new CliError(
      "bad_input",
      `TROUPE_PORTS cannot be "${text}".`,
      "Name the first and the last port: 21000-21099",
    );
  return { from: data[0], to: data[1] };
}

/** Whether something listens on this port, or the system forbids it. */
export async function isTaken(port: number): Promise<boolean> {
  const listener = await tryListen(port);
  await listener?.close();
  return listener === undefined;
}

/** Waits, for at most `limitMs` milliseconds, until nothing listens on this port. A process that has ended may hold it a moment longer. */
export async function untilFree(port: number, limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs;
  while ((await isTaken(port)) && performance.now() < deadline) await delay(POLL_MS);
}

interface Listener {
  /** That is held until it is closed. */
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** Undefined when something listens on this port, or the system forbids it. */
async function tryListen(port: number): Promise<Listener | undefined> {
  try {
    return await listen(port);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "EADDRINUSE" || error.code === "EACCES"))
      return undefined;
    throw error;
  }
}

async function listen(port: number): Promise<Listener> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host: HOST, exclusive: true }, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    close: async () => new Promise((resolve, reject) => server.close((error) => (error ? reject(error) : resolve()))),
  };
}
