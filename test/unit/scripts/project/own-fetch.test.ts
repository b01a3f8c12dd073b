// Which requests carry the token for Cloudflare Access.
import { createServer } from "node:http";
import { once } from "node:events";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";

import { knowOnCloudflare, ownFetch } from "../../../../scripts/project/own-fetch.ts";

const heard: (string | undefined)[][] = [];
const server = createServer(({ headers, url }, response) => {
  heard.push(["cf-access-client-id", "cf-access-client-secret", "x-own"].map((name) => headers[name]?.toString()));
  if (url === "/elsewhere") response.writeHead(302, { location: "/" });
  response.end();
});
let origin: string;

beforeAll(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  origin = `http://127.0.0.1:${typeof address === "object" ? (address?.port ?? 0) : 0}`;
});
beforeEach(() => {
  heard.length = 0;
  vi.stubEnv("CLOUDFLARE_ACCESS_CLIENT_ID", "id.access");
  vi.stubEnv("CLOUDFLARE_ACCESS_CLIENT_SECRET", "secret");
});
afterAll(() => {
  vi.unstubAllEnvs();
  server.close();
});

test("an address that is not known as one's own on Cloudflare gets no token", async () => {
  await ownFetch(`${origin}/`, { headers: { "x-own": "1" } });
  expect(heard).toEqual([[undefined, undefined, "1"]]);
});

test("one's own gets it beside other headers, and is not followed elsewhere", async () => {
  knowOnCloudflare([`${origin}/path`]);
  expect((await ownFetch(`${origin}/elsewhere`, { headers: { "x-own": "1" } })).status).toBe(302);
  expect(heard).toEqual([["id.access", "secret", "1"]]);
});

test("half a token is none", async () => {
  vi.stubEnv("CLOUDFLARE_ACCESS_CLIENT_SECRET", "");
  knowOnCloudflare([origin]);
  await ownFetch(`${origin}/`);
  expect(heard).toEqual([[undefined, undefined, undefined]]);
});
