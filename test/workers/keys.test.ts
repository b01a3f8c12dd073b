// Keys at the control plane: made and revoked by the job's token, checked by hash, and what they open there.
import { env as bindings } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { afterEach, expect, test, vi } from "vitest";
import { hashOfKey, MAX_KEYS } from "#shared/control-plane/keys.ts";
import { mac } from "#shared/a2a/token.ts";
import controlPlane from "../../workers/control-plane/index.ts";

afterEach(() => vi.useRealTimers());

const SECRET = "a secret of the control plane, long enough";
const env = { ...bindings, TROUPE_SECRET: SECRET };

const tokenOf = (job: string) => `${job}.${mac(SECRET, `job:${job}`)}`;

async function call(token: string, method: string, path: string, body?: object) {
  const headers = { authorization: `Bearer ${token}`, ...(body ? { "content-type": "application/json" } : {}) };
  const init = { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) };
  return controlPlane.request(`http://localhost${path}`, init, env);
}

async function make(job: string, wanted: object): Promise<string> {
  const response = await call(tokenOf(job), "POST", "/v1/keys", wanted);
  expect(response.status).toBe(201);
  return (await response.json<{ key: string }>()).key;
}

async function checked(job: string, key: string): Promise<unknown> {
  const response = await call(tokenOf(job), "GET", `/v1/keys/hashes/${hashOfKey(key)}`);
  return response.status === 200 ? response.json() : response.status;
}

test("a key is shown once, listed without its text, and kept as a hash", async () => {
  const key = await make("shown", {
    name: "laptop",
    scopes: ["read", "ask", "read"],
    expiresAt: "2100-01-01T00:00:00Z",
  });
  expect(key).toMatch(/^troupe_shown_[\w-]{65}$/);
  const list = await (await call(tokenOf("shown"), "GET", "/v1/keys")).text();
  expect(list).not.toContain(key);
  expect(JSON.parse(list)).toMatchObject({
    keys: [
      {
        name: "laptop",
        account: "laptop",
        scopes: ["ask", "read"],
        expiresAt: "2100-01-01T00:00:00.000Z",
        revokedAt: null,
      },
    ],
  });
  const rows = await runInDurableObject(bindings.KEYS.getByName("shown"), (_, { storage }) =>
    storage.sql.exec("SELECT * FROM keys").toArray(),
  );
  expect(JSON.stringify(rows)).not.toContain(key.slice(-65));
  expect(rows).toMatchObject([{ hash: hashOfKey(key) }]);
});

test("a key counts for its own job until it is revoked, and its name may then be given again", async () => {
  const key = await make("own", { name: "ci", scopes: ["ask"] });
  expect(await checked("own", key)).toEqual({ name: "ci", account: "ci", scopes: ["ask"], expiresAt: null });
  expect(await checked("another", key)).toBe(404);
  expect((await call(tokenOf("own"), "POST", "/v1/keys", { name: "ci", scopes: ["ask"] })).status).toBe(409);
  for (let n = 0; n < 2; n++) expect((await call(tokenOf("own"), "DELETE", "/v1/keys/ci")).status).toBe(204);
  expect(await checked("own", key)).toBe(404);
  const second = await make("own", { name: "ci", scopes: ["read"], as: "local" });
  expect(await checked("own", second)).toMatchObject({ name: "ci", account: "local" });
  expect((await call(tokenOf("own"), "DELETE", "/v1/keys/nobody")).status).toBe(404);
});

test("a key that has expired counts no more", async () => {
  const key = await make("expires", {
    name: "short",
    scopes: ["ask"],
    expiresAt: new Date(Date.now() + 60_000).toISOString(),
  });
  expect(await checked("expires", key)).toMatchObject({ name: "short" });
  await runInDurableObject(bindings.KEYS.getByName("expires"), (_, { storage }) => {
    storage.sql.exec("UPDATE keys SET expires_at = ?", Date.now() - 1);
  });
  expect(await checked("expires", key)).toBe(404);
  await make("expires", { name: "short", scopes: ["ask"] });
});

test.each([
  ["no name", { scopes: ["ask"] }],
  ["the name local", { name: "local", scopes: ["ask"] }],
  ["a name with a space", { name: "my key", scopes: ["ask"] }],
  ["no scopes", { name: "a", scopes: [] }],
  ["an unknown scope", { name: "a", scopes: ["everything"] }],
  ["another account than local", { name: "a", scopes: ["ask"], as: "boss" }],
  ["an expiry in the past", { name: "a", scopes: ["ask"], expiresAt: "2020-01-01T00:00:00Z" }],
  ["an unknown field", { name: "a", scopes: ["ask"], admin: true }],
])("a key with %s is not made", async (_, wanted) => {
  expect((await call(tokenOf("bad"), "POST", "/v1/keys", wanted)).status).toBe(400);
});

test("a job has a limited number of keys, and those that count no more make room", async () => {
  const stub = bindings.KEYS.getByName("full");
  await make("full", { name: "first", scopes: ["ask"] });
  await runInDurableObject(stub, (_, { storage }) => {
    for (let n = 1; n < MAX_KEYS; n++)
      storage.sql.exec(
        `INSERT INTO keys (hash, name, account, scopes, created_at) VALUES ('h${n}', 'k${n}', 'k${n}', '["ask"]', ${n})`,
      );
  });
  const more = { name: "more", scopes: ["ask"] };
  expect((await call(tokenOf("full"), "POST", "/v1/keys", more)).status).toBe(409);
  expect((await call(tokenOf("full"), "DELETE", "/v1/keys/k1")).status).toBe(204);
  expect((await call(tokenOf("full"), "POST", "/v1/keys", more)).status).toBe(201);
});

test.each(["", "x", "a".repeat(63), "A".repeat(64)])("%j is no hash of a key", async (hash) => {
  expect((await call(tokenOf("bad"), "GET", `/v1/keys/hashes/${hash}`)).status).toBe(hash === "" ? 404 : 400);
});

test("a key with the scope operate reads and deletes, and does nothing that only agents do", async () => {
  const key = await make("operated", { name: "ops", scopes: ["operate"] });
  for (const path of ["/agents", "/v1/traces"]) expect((await call(key, "GET", path)).status).toBe(200);
  expect((await call(key, "DELETE", "/v1/traces?before=2020-01-01T00:00:00Z")).status).toBe(200);
  const refused: [string, string, object?][] = [
    ["POST", "/agents/register", {}],
    ["POST", "/v1/budgets/reserve", {}],
    ["GET", "/v1/keys"],
    ["POST", "/v1/keys", { name: "more", scopes: ["operate"] }],
    ["DELETE", "/v1/keys/ops"],
    ["GET", `/v1/keys/hashes/${hashOfKey(key)}`],
  ];
  for (const [method, path, body] of refused) {
    const response = await call(key, method, path, body);
    expect([path, response.status]).toEqual([path, 403]);
    expect(await response.text()).toMatch(/The key \\"ops\\" has no scope/);
  }
  expect((await call(key, "POST", "/v1/traces", {})).status).toBe(401);
});

test("a key that asks too often gets a 429, and another one goes on", async () => {
  const [hasty, calm] = [
    await make("limited", { name: "hasty", scopes: ["operate"] }),
    await make("limited", { name: "calm", scopes: ["operate"] }),
  ];
  vi.useFakeTimers({ now: Date.now(), toFake: ["Date"] });
  const codes = [];
  for (let n = 0; n <= 200; n++) codes.push((await call(hasty, "GET", "/nowhere")).status);
  expect([codes.slice(0, -1).every((code) => code === 404), codes.at(-1)]).toEqual([true, 429]);
  expect((await call(calm, "GET", "/agents")).status).toBe(200);
});

test("a key without the scope operate, or one that does not count, opens nothing", async () => {
  const key = await make("closed", { name: "asks", scopes: ["ask", "approve", "read"] });
  expect((await call(key, "GET", "/agents")).status).toBe(403);
  await call(tokenOf("closed"), "DELETE", "/v1/keys/asks");
  const other = key.replace("troupe_closed_", "troupe_operated_");
  for (const text of [key, other, `${key}x`, key.slice(0, -1), "troupe_closed_", `troupe_${"x".repeat(70)}`])
    expect((await call(text, "GET", "/agents")).status).toBe(401);
});

test("an invented key leaves no object behind", async () => {
  const invented = `troupe_invented_${"A".repeat(65)}`;
  const KEYS = { getByName: () => expect.fail("It was looked for.") };
  const refused = await controlPlane.request(
    "http://localhost/agents",
    { headers: { authorization: `Bearer ${invented}` } },
    { ...env, KEYS },
  );
  expect(refused.status).toBe(401);
});
