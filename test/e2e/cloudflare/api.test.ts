// The API of the emulated Cloudflare: what it refuses, and how it fails where a test asks for it.
import { expect, test } from "vitest";

import { startCloudflare } from "../../support/cloudflare/emulator.ts";
import { call, COUNTER, PLAIN, upload } from "./calls.ts";

const SERVICES = "GET /accounts/:account/workers/services/:name";

test("faults come at the call that they are meant for, and once", async () => {
  await using cloudflare = await startCloudflare();
  const get = async () => call(cloudflare, "GET", "workers/services/one");
  await call(cloudflare, "PUT", "workers/scripts/one", { form: upload(PLAIN) });
  cloudflare.fail({ call: SERVICES, worker: "one", nth: 2, how: { status: 429, retryAfter: 7 } });
  cloudflare.fail({ call: SERVICES, worker: "other", how: "drop" });
  expect(await get()).toMatchObject({ status: 200 });
  const limited = await get();
  expect(limited).toMatchObject({ status: 429, code: 971 });
  expect(limited.headers.get("retry-after")).toBe("7");
  cloudflare.fail({ call: SERVICES, how: "drop" });
  await expect(get()).rejects.toThrow("fetch failed");
  cloudflare.fail({ call: SERVICES, how: { slowMs: 30 } });
  expect(await get()).toMatchObject({ status: 200 });
  const slow = cloudflare.calls.at(-1);
  expect((slow?.endedAt ?? 0) - (slow?.startedAt ?? 0)).toBeGreaterThanOrEqual(29);
  const remove = "DELETE /accounts/:account/workers/services/:name";
  cloudflare.fail({ call: remove, how: "drop-after" });
  await expect(call(cloudflare, "DELETE", "workers/services/one")).rejects.toThrow("fetch failed");
  expect(cloudflare.workers()).toEqual([]);
  cloudflare.fail({ call: SERVICES, how: "hang" });
  const { apiUrl, accountId } = cloudflare;
  const hanging = fetch(`${apiUrl}/accounts/${accountId}/workers/services/one`, { signal: AbortSignal.timeout(100) });
  await expect(hanging).rejects.toThrow("timeout");
  expect(() => cloudflare.fail({ call: "GET /nothing", how: "drop" })).toThrow("No route");
});

test("a call that nothing handles is remembered", async () => {
  await using cloudflare = await startCloudflare();
  expect(await call(cloudflare, "GET", "r2/buckets")).toMatchObject({ status: 404, code: 7003 });
  expect(cloudflare.unknownCalls).toEqual([`GET /accounts/${cloudflare.accountId}/r2/buckets`]);
});

test.each([
  ["does not parse", "const a = ;", {}, 10_021],
  ["throws as it starts", "throw new Error('early')", {}, 10_021],
  ["has no handler", "export const a = 1", {}, 10_068],
  ["binds a Worker that is missing", PLAIN, { bindings: [{ type: "service", name: "A", service: "none" }] }, 10_143],
  ["inherits what is not there", PLAIN, { bindings: [{ type: "inherit", name: "A" }] }, 10_057],
  [
    "binds a class without a migration",
    `${COUNTER}\n${PLAIN}`,
    { bindings: [{ type: "durable_object_namespace", name: "A", class_name: "Counter" }] },
    10_061,
  ],
  ["lacks a class", PLAIN, { migrations: { new_tag: "v1", steps: [{ new_sqlite_classes: ["Counter"] }] } }, 10_070],
  ["comes from another migration", PLAIN, { migrations: { old_tag: "v9", new_tag: "v10", steps: [] } }, 10_079],
])("an upload that %s is refused, and changes nothing", async (_, code, metadata, error) => {
  await using cloudflare = await startCloudflare();
  const answer = await call(cloudflare, "PUT", "workers/scripts/one", { form: upload(code, metadata) });
  expect(answer.code).toBe(error);
  expect(cloudflare.workers()).toEqual([]);
});

test("limits of the account and of a Worker hold", async () => {
  await using cloudflare = await startCloudflare({ limits: { workers: 1, scriptBytes: 100 } });
  const put = async (name: string, code: string) =>
    call(cloudflare, "PUT", `workers/scripts/${name}`, { form: upload(code) });
  expect(await put("one", `${PLAIN}// ${crypto.randomUUID()}${crypto.randomUUID()}`)).toMatchObject({ code: 10_027 });
  expect(await put("one", PLAIN)).toMatchObject({ status: 200 });
  expect(await put("one", PLAIN)).toMatchObject({ status: 200 });
  expect(await put("two", PLAIN)).toMatchObject({ code: 10_037 });
});

test("a version brings no migration, and none runs from before one", async () => {
  await using cloudflare = await startCloudflare();
  const migrations = { new_tag: "v1", steps: [{ new_sqlite_classes: ["Counter"] }] };
  const form = () => upload(`${COUNTER}\n${PLAIN}`, { migrations });
  await call(cloudflare, "PUT", "workers/scripts/one", { form: upload(PLAIN) });
  expect(await call(cloudflare, "POST", "workers/scripts/one/versions", { form: form() })).toMatchObject({
    code: 10_211,
  });
  expect(await call(cloudflare, "PUT", "workers/scripts/one", { form: form() })).toMatchObject({ status: 200 });
  const versions = [{ version_id: cloudflare.workers()[0]?.versions[0]?.id, percentage: 100 }];
  const json = { strategy: "percentage", versions };
  expect(await call(cloudflare, "POST", "workers/scripts/one/deployments", { json })).toMatchObject({ status: 400 });
});

test("tokens do what their rights say", async () => {
  await using cloudflare = await startCloudflare();
  cloudflare.addToken("reads", { rights: ["read"], accounts: [cloudflare.accountId] });
  cloudflare.addToken("elsewhere", { rights: ["read", "edit"], accounts: ["0".repeat(32)] });
  const list = async (token: string) => call(cloudflare, "GET", "workers/scripts", { token });
  expect(await list("reads")).toMatchObject({ status: 200 });
  expect(await call(cloudflare, "DELETE", "workers/services/one", { token: "reads" })).toMatchObject({
    status: 403,
    code: 10_000,
  });
  expect(await list("elsewhere")).toMatchObject({ status: 403, code: 9109 });
  expect(await list("nobody")).toMatchObject({ status: 403, code: 9109 });
});
