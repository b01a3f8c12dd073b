// An agent with an address of its own, over HTTPS, with a certificate that the job file names.
import { generateKeyPairSync } from "node:crypto";
import { request } from "node:https";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";

import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";

import { ensureAuthority, issueCertificate } from "../../scripts/targets/hosts/keys/authority.ts";
import { Deployment } from "../support/deployment.ts";
import { freePorts } from "../../scripts/targets/local/processes/ports.ts";

const Made = z.object({ key: z.string() });

let deployment: Deployment;
let ca: string;
let port: number;
let file: string;

interface Answered {
  readonly status: number | undefined;
  readonly body: unknown;
}

async function get(path: string, headers: Record<string, string> = {}): Promise<Answered> {
  const { promise, resolve, reject } = Promise.withResolvers<Answered>();
  const options = {
    host: "127.0.0.1",
    port,
    path,
    ca,
    servername: "localhost",
    headers: { host: `localhost:${port}`, ...headers },
  };
  request(options, (response) => {
    textOf(response).then((body) => resolve({ status: response.statusCode, body: JSON.parse(body) }), reject);
  })
    .on("error", reject)
    .end();
  return promise;
}

const jobOf = (url: string) => `name: public
agents:
  - id: searcher
    https: { url: "${url}", certificate: tls.pem, key: tls.key }
topology: { type: mesh }
`;

async function certify(name: string): Promise<void> {
  const authority = await ensureAuthority(join(deployment.home, "authority.json"), "test");
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "pem" }).toString();
  ca = authority.certificate;
  await deployment.write("tls.pem", await issueCertificate(authority, { publicKey: spki, name }));
  await deployment.write("tls.key", privateKey.export({ type: "sec1", format: "pem" }).toString());
}

beforeAll(async () => {
  deployment = await Deployment.create();
  [port = 0] = await freePorts(1);
  await certify("localhost");
  file = await deployment.write("public.yaml", jobOf(`https://localhost:${port}`));
  await deployment.succeed("deploy", file);
});
afterAll(async () => deployment.close());

test("the card names the address, and is there without a key", async () => {
  const { status, body } = await get("/.well-known/agent-card.json");
  expect(status).toBe(200);
  expect(body).toMatchObject({ url: `https://localhost:${port}/jsonrpc` });
});

test("a task needs a key there", async () => {
  const headers = { "a2a-version": "1.0" };
  expect((await get("/tasks", headers)).status).toBe(401);
  const { key } = Made.parse(await deployment.json("keys", "create", "public", "a-person"));
  expect((await get("/tasks", { ...headers, authorization: `Bearer ${key}` })).status).toBe(200);
});

test("another name is not the agent's", async () => {
  expect((await get("/health", { host: "evil.example" })).status).toBe(403);
});

test("the command line asks as ever", async () => {
  expect(await deployment.succeed("query", "public", "What is MCP?")).toContain("MCP");
});

test.each<[string, () => Promise<unknown>, string]>([
  ["a certificate of another name", async () => certify("example.com"), "tls.pem is not for localhost"],
  [
    "a key of another certificate",
    async () => deployment.write("tls.key", KEY),
    "the key in tls.key is not that of tls.pem",
  ],
  ["a file that is no key", async () => deployment.write("tls.key", "no"), "tls.key holds no private key"],
  ["a file that is no certificate", async () => deployment.write("tls.pem", "no"), "tls.pem holds no certificate"],
])("%s is refused, and the job runs on", async (_, spoil, message) => {
  await certify("localhost");
  await spoil();
  const { code, stderr } = await deployment.troupe("deploy", file);
  expect({ code, told: stderr.includes(message) }).toEqual({ code: 2, told: true });
  expect((await get("/health")).status).toBe(200);
});

const KEY = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ type: "pkcs8", format: "pem" })
  .toString();
