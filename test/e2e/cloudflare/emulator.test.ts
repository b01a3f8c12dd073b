// The Cloudflare of tests: the real wrangler deploys to it, and what it serves is reached as the internet is.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";

import { type CloudflareEmulator, startCloudflare } from "../../support/cloudflare/emulator.ts";
import { nodeAt, type Ran, wrangler } from "../../support/cloudflare/wrangler.ts";
import { call, upload } from "./calls.ts";

const PLAIN = "export default { fetch() { return new Response('plain') } }";
const COUNTER = `import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {
  next() {
    const count = (this.ctx.storage.kv.get("count") ?? 0) + 1;
    this.ctx.storage.kv.put("count", count);
    return count;
  }
  last() {
    return this.ctx.storage.kv.get("count") ?? 0;
  }
}`;
const PING = `${COUNTER}
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/stream") return stream(env);
    if (pathname === "/hang-ups") return Response.json(await env.COUNTER.getByName("hang-ups").last());
    if (pathname !== "/") return fetch("https:/" + pathname);
    const { GREETING: greeting, KEY: key, VERSION: { id: version } } = env;
    const pong = await (await env.PONG.fetch("https://pong/")).text();
    return Response.json({ url: request.url, greeting, key, version, pong, count: await env.COUNTER.getByName("one").next() });
  },
};
function stream(env) {
  let count = 0;
  return new Response(new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      controller.enqueue(new TextEncoder().encode(String(++count)));
    },
    async cancel() { await env.COUNTER.getByName("hang-ups").next(); },
  }));
}`;
/** Longer than a change waits for it. */
const SLOW = `export default {
  fetch() {
    let count = 0;
    return new Response(new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        controller.enqueue(new TextEncoder().encode(String(++count % 10)));
        if (count === 20) controller.close();
      },
    }));
  },
};`;
const PONG = "export default { fetch(request, env) { return new Response('pong of ' + typeof env.PING.fetch) } }";
const DEPLOYMENTS = "POST /accounts/:account/workers/scripts/:name/deployments";
const SERVICES = "GET /accounts/:account/workers/services/:name";

const Answer = z.object({
  version: z.string(),
  count: z.number(),
  pong: z.string(),
  key: z.string(),
  greeting: z.string(),
});

async function asked(cloudflare: CloudflareEmulator, times = 1): Promise<z.infer<typeof Answer>[]> {
  const { output } = await nodeAt(
    cloudflare,
    `const all = [];
     for (let n = 0; n < ${times}; n++) all.push(await (await fetch("https://ping.acme.workers.dev/")).json());
     console.log(JSON.stringify(all));`,
  );
  return z.array(Answer).parse(JSON.parse(output));
}

describe("with two Workers that bind each other, deployed by wrangler", () => {
  let cloudflare: CloudflareEmulator;
  let folder: string;
  const run = async (worker: string, ...args: string[]): Promise<Ran> => {
    const ran = await wrangler(cloudflare, join(folder, worker), args);
    expect(cloudflare.unknownCalls).toEqual([]);
    return ran;
  };
  const ping = () => cloudflare.workers().find(({ name }) => name === "ping");

  beforeAll(async () => {
    cloudflare = await startCloudflare();
    folder = await mkdtemp(join(tmpdir(), "troupe-wrangler-"));
    const common = { main: "index.js", no_bundle: true, compatibility_date: "2026-10-01", workers_dev: true };
    const workers = {
      pong: [{ services: [{ binding: "PING", service: "ping" }] }, PONG],
      ping: [
        {
          compatibility_flags: ["global_fetch_strictly_public"],
          vars: { GREETING: "hello" },
          services: [{ binding: "PONG", service: "pong" }],
          durable_objects: { bindings: [{ name: "COUNTER", class_name: "Counter" }] },
          migrations: [{ tag: "v1", new_sqlite_classes: ["Counter"] }],
          version_metadata: { binding: "VERSION" },
        },
        PING,
      ],
    } as const;
    for (const [name, [config, code]] of Object.entries(workers)) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, "wrangler.json"), JSON.stringify({ name, ...common, ...config }));
      await writeFile(join(folder, name, "index.js"), code);
    }
    await writeFile(join(folder, "secrets.json"), JSON.stringify({ KEY: "secret" }));
    // A stub breaks the knot of two Workers that need each other first.
    await call(cloudflare, "PUT", "workers/scripts/ping", { form: upload(PLAIN) });
    await run("pong", "deploy");
    await run("ping", "deploy", "--secrets-file", "../secrets.json");
  });

  afterAll(async () => {
    await cloudflare[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test("they answer a plain fetch with their variables, secrets, objects and each other", async () => {
    const [answer] = await asked(cloudflare);
    const version = ping()?.versions.at(-1)?.id;
    expect(answer).toMatchObject({ greeting: "hello", key: "secret", pong: "pong of function", version });
  });

  test("a stream passes as it comes, and a client that hangs up ends it in the Worker", async () => {
    const { output } = await nodeAt(
      cloudflare,
      `const { body } = await fetch("https://ping.acme.workers.dev/stream");
       for await (const piece of body) {
         const text = Buffer.from(piece).toString();
         console.log(text);
         if (text === "3") break;
       }
       const hangUps = async () => (await fetch("https://ping.acme.workers.dev/hang-ups")).json();
       while ((await hangUps()) === 0) await new Promise((resolve) => setTimeout(resolve, 50));
       console.log("heard");`,
    );
    expect(output).toBe("1\n2\n3\nheard\n");
  });

  test("a Worker reaches another one by its address, and the internet of the test", async () => {
    const { output } = await nodeAt(
      cloudflare,
      `for (const at of ["pong.acme.workers.dev", "nobody.acme.workers.dev", "example.com/x"]) {
         const answer = await fetch("https://ping.acme.workers.dev/" + at);
         console.log(answer.status, await answer.text());
       }`,
    );
    expect(output).toMatch(/^200 pong of function\n404 .*nothing here yet.*\n502 There is no internet here.*\n$/);
  });

  test("requests are dealt by percentage, objects keep their data, and a rollback brings the old version back", async () => {
    const [{ count: before, version: old } = { count: 0, version: "" }] = await asked(cloudflare);
    expect(await run("ping", "versions", "upload", "--tag", "next", "--message", "Next")).toMatchObject({ code: 0 });
    const next = ping()?.versions.at(-1);
    expect(next?.annotations).toMatchObject({ "workers/tag": "next", "workers/message": "Next" });
    expect(await run("ping", "versions", "deploy", `${old}@10%`, `${next?.id}@90%`, "-y")).toMatchObject({ code: 0 });
    const answers = await asked(cloudflare, 20);
    expect(answers.filter(({ version }) => version === old).length).toBeOneOf([1, 2, 3]);
    expect(answers.map(({ count }) => count)).toEqual(Array.from({ length: 20 }, (_, n) => before + n + 1));
    expect(await run("ping", "rollback", old, "-y")).toMatchObject({ code: 0 });
    expect(await asked(cloudflare)).toMatchObject([{ version: old, count: before + 21 }]);
  });

  test("a call that fails makes wrangler fail, and the next one succeeds", async () => {
    cloudflare.fail({ call: DEPLOYMENTS, worker: "ping", how: { status: 503 } });
    const deployed = ping()?.deployments.length;
    expect(await run("ping", "deploy")).toMatchObject({ code: 1, errors: expect.stringContaining("10013") });
    expect(ping()?.deployments).toHaveLength(deployed ?? 0);
    expect(await run("ping", "deploy")).toMatchObject({ code: 0 });
  });

  test("a Worker that another one binds is seen to be in use", async () => {
    expect(await call(cloudflare, "DELETE", "workers/services/pong")).toMatchObject({ status: 400 });
    expect(await call(cloudflare, "GET", "workers/scripts/pong/references")).toMatchObject({
      result: { services: { incoming: [{ service: "ping", name: "PONG" }] } },
    });
    const { code, output } = await run("pong", "delete");
    expect(code).toBe(0);
    expect(output).toContain("Worker ping (production) uses this Worker as a Service Binding");
    expect(cloudflare.workers().map(({ name }) => name)).toEqual(["ping"]);
  });
});

describe("the API", () => {
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

  test("requests at the edge fail, too, where a test asks for it", async () => {
    await using cloudflare = await startCloudflare();
    await call(cloudflare, "PUT", "workers/scripts/one", { form: upload(PLAIN) });
    await call(cloudflare, "POST", "workers/scripts/one/subdomain", { json: { enabled: true } });
    cloudflare.fail({ call: "EDGE", worker: "one", how: { status: 404, message: "not yet" } });
    cloudflare.fail({ call: "EDGE", worker: "one", nth: 2, how: "drop-after" });
    const { output } = await nodeAt(
      cloudflare,
      `const get = async () => (await fetch("https://one.acme.workers.dev/")).text();
       for (let n = 0; n < 3; n++) console.log(await get().catch((error) => error.message));`,
    );
    expect(output).toBe("not yet\nfetch failed\nplain\n");
  });

  test("a class that is renamed keeps its objects, and one that is deleted loses them", async () => {
    await using cloudflare = await startCloudflare();
    const count = async (className: string, migrations: Record<string, unknown>) => {
      const code = `${COUNTER.replace("class Counter", `class ${className}`)}
        export default { async fetch(request, env) { return new Response(await env.ONE.getByName("one").next()) } };`;
      const bindings = [{ type: "durable_object_namespace", name: "ONE", class_name: className }];
      const form = upload(code, { migrations, bindings });
      expect(await call(cloudflare, "PUT", "workers/scripts/one", { form })).toMatchObject({ status: 200 });
      await call(cloudflare, "POST", "workers/scripts/one/subdomain", { json: { enabled: true } });
      const asked = `console.log(await (await fetch("https://one.acme.workers.dev/")).text())`;
      return Number((await nodeAt(cloudflare, asked)).output);
    };
    expect(await count("One", { new_tag: "v1", steps: [{ new_sqlite_classes: ["One"] }] })).toBe(1);
    const renamed = { renamed_classes: [{ from: "One", to: "Two" }] };
    expect(await count("Two", { old_tag: "v1", new_tag: "v2", steps: [renamed] })).toBe(2);
    const again = [{ deleted_classes: ["Two"] }, { new_sqlite_classes: ["Two"] }];
    expect(await count("Two", { old_tag: "v2", new_tag: "v3", steps: again })).toBe(1);
  });

  test("a stream goes on while other Workers are deployed", async () => {
    await using cloudflare = await startCloudflare();
    const put = async (name: string, code: string) => {
      await call(cloudflare, "PUT", `workers/scripts/${name}`, { form: upload(code) });
      await call(cloudflare, "POST", `workers/scripts/${name}/subdomain`, { json: { enabled: true } });
    };
    await put("slow", SLOW);
    await put("other", PLAIN);
    const { output } = await nodeAt(
      cloudflare,
      `const slow = await fetch("https://slow.acme.workers.dev/");
       const other = await fetch("https://other.acme.workers.dev/");
       console.log(await other.text(), await slow.text());`,
    );
    expect(output).toBe("plain 12345678901234567890\n");
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
});
