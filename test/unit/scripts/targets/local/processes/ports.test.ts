// Ports that processes have given up: the system may take a moment.
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

import { expect, test } from "vitest";

import { freePorts, isTaken, untilFree } from "../../../../../../scripts/targets/local/processes/ports.ts";

async function holding(port: number) {
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

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
