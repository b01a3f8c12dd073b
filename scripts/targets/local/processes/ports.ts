// Ports on this machine: finds free ones, and tells whether one is taken.
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

import * as z from "zod";

import { CliError } from "../../../terminal/cli-error.ts";
import { hasCode } from "../../../terminal/system-error.ts";

const HOST = "127.0.0.1";

/**
 * Below the ports of outgoing connections (Linux from 32768, macOS and Windows from 49152), so that the port of a stopped job stays
 * free until its restart.
 */
const RANGE = { from: 20_000, to: 32_767 };
const MAX_TRIES = 1_000;
const POLL_MS = 20;

/**
 * Returns `count` different ports that are free now, and none of `others`. Throws CliError where TROUPE_PORTS names too few.
 */
export async function freePorts(count: number, others: ReadonlySet<number> = new Set()): Promise<number[]> {
  const named = namedRange();
  const { from, to } = named ?? RANGE;
  // All stay open until the last one is found, so that no port comes twice.
  const held: Listener[] = [];
  try {
    for (let tries = 0; held.length < count; tries++) {
      const isLate = tries >= MAX_TRIES;
      if (isLate && named !== undefined)
        throw new CliError(
          "failed",
          `Too few ports from ${from} to ${to} are free.`,
          "Name a larger range in TROUPE_PORTS.",
        );
      // Any port serves where the range is nearly used up.
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

/** The range of TROUPE_PORTS; undefined where it is not set. Throws CliError for other text. */
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

/**
 * Waits, for at most `limitMs` milliseconds, until nothing listens on this port: an ended process may hold it a moment
 * longer.
 */
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
    if (hasCode(error, "EADDRINUSE") || hasCode(error, "EACCES")) return undefined;
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
