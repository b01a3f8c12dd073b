// Ports that processes have given up: the system may take a moment.
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

import { expect, onTestFinished, test, vi } from "vitest";

import { freePorts, isTaken, untilFree } from "../../../../../../scripts/targets/local/processes/ports.ts";

async function holding(port: number) {
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

test("ports are those that TROUPE_PORTS names, and none that others have or keep", async () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  const [first = 0] = await freePorts(1);
  vi.stubEnv("TROUPE_PORTS", `${first}-${first + 3}`);
  const server = await holding(first + 1);
  const [one = 0] = await freePorts(1, new Set([first + 2, first + 3]));
  expect(one).toBe(first);
  await expect(freePorts(2, new Set([first + 2, first + 3]))).rejects.toThrow(/^Too few ports from/);
  server.close();
});

test.each(["20000", "20001-20000", "a-b", "0-1", "1-65536"])("TROUPE_PORTS=%s is refused", async (range) => {
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv("TROUPE_PORTS", range);
  await expect(freePorts(1)).rejects.toThrow(`TROUPE_PORTS cannot be "${range}".`);
});

test("a port that is given back a moment later is waited for", async () => {
  const [port = 0] = await freePorts(1);
  const server = await holding(port);
  const waiting = untilFree(port, 60_000);
  void delay(50).then(() => server.close());
  await waiting;
  expect(await isTaken(port)).toBe(false);
});

test("a port that another program keeps is not waited for longer than said", async () => {
  const [port = 0] = await freePorts(1);
  const server = await holding(port);
  await untilFree(port, 50);
  expect(await isTaken(port)).toBe(true);
  server.close();
});
