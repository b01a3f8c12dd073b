// The key for an agent of somebody else goes to that agent alone.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { keyFetch } from "../../../../scripts/query/client.ts";

const servers = [0, 1].map(() =>
  createServer((request, response) => {
    if (request.url === "/away") response.writeHead(302, { location: `${origins[1]}/` });
    response.end(request.headers.authorization ?? "none");
  }),
);
const origins: string[] = [];
beforeAll(async () => {
  for (const server of servers) {
    await once(server.listen(0, "127.0.0.1"), "listening");
    // SAFETY: a server that listens on TCP has such an address.
    origins.push(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }
});
afterAll(() => servers.forEach((server) => server.close()));

const seen = async (url: string, key?: string) => (await keyFetch(`${origins[0]}/agent`, key)(url)).text();

test("goes along to the agent's own origin", async () => {
  expect(await seen(`${origins[0]}/rpc`, "k")).toBe("Bearer k");
  expect(await seen(`${origins[0]}/rpc`)).toBe("none");
});

test("goes to no address that the card names elsewhere, nor where the agent redirects", async () => {
  expect(await seen(`${origins[1]}/rpc`, "k")).toBe("none");
  expect(await seen(`${origins[0]}/away`, "k")).toBe("none");
});
