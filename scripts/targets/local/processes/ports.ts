// Ports on this machine: finds free ones, and tells whether one is taken.
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

const HOST = "127.0.0.1";

/**
 * Below the ports of outgoing connections (Linux from 32768, macOS and Windows from 49152), so that the port of a stopped job stays
 * free until its restart.
 */
const RANGE = { from: 20_000, to: 32_767 };
const MAX_TRIES = 1_000;
const POLL_MS = 20;

/** Returns `count` different ports that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  // All stay open until the last one is found, so that no port comes twice.
  const held: Listener[] = [];
  for (let tries = 0; held.length < count; tries++) {
    // Any port serves where the range is nearly used up.
    const port = tries < MAX_TRIES ? RANGE.from + Math.floor(Math.random() * (RANGE.to - RANGE.from + 1)) : 0;
    const listener = await tryListen(port);
    if (listener) held.push(listener);
  }
  return Promise.all(held.map(async (listener) => listener.close()));
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
  /** Resolves to the port that was held. */
  close(): Promise<number>;
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
  const bound = typeof address === "object" && address !== null ? address.port : port;
  return {
    close: async () =>
      new Promise((resolve, reject) => server.close((error) => (error ? reject(error) : resolve(bound)))),
  };
}
