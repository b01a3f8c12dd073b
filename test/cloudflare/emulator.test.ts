// The Cloudflare of tests: the real wrangler deploys to it, and what it serves is reached as the internet is.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";

import { type CloudflareEmulator, startCloudflare } from "../support/cloudflare/emulator.ts";
import { nodeAt, type Ran, wrangler } from "../support/cloudflare/wrangler.ts";
import { call, COUNTER, PLAIN, upload } from "../e2e/cloudflare/calls.ts";

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
const PONG = "export default { fetch(request, env) { return new Response('pong of ' + typeof env.PING.fetch) } }";
const DEPLOYMENTS = "POST /accounts/:account/workers/scripts/:name/deployments";

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
