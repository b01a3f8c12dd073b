// The edge of the emulated Cloudflare: what Workers do that were uploaded without wrangler.
import { once } from "node:events";

import { expect, test } from "vitest";
import * as z from "zod";

import { startCloudflare } from "../../support/cloudflare/emulator.ts";
import { nodeAt } from "../../support/cloudflare/wrangler.ts";
import { call, COUNTER, PLAIN, publish } from "./calls.ts";

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

test("requests at the edge fail, too, where a test asks for it", async () => {
  await using cloudflare = await startCloudflare();
  await publish(cloudflare, "one", PLAIN);
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
    await publish(cloudflare, "one", code, { migrations, bindings });
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
  await publish(cloudflare, "slow", SLOW);
  await publish(cloudflare, "other", PLAIN);
  const { output } = await nodeAt(
    cloudflare,
    `const slow = await fetch("https://slow.acme.workers.dev/");
     const other = await fetch("https://other.acme.workers.dev/");
     console.log(await other.text(), await slow.text());`,
  );
  expect(output).toBe("plain 12345678901234567890\n");
});

test("a custom domain of the account's zone leads to its Worker", async () => {
  await using cloudflare = await startCloudflare();
  await publish(cloudflare, "one", PLAIN);
  const json = { hostname: `www.${cloudflare.zone}`, service: "one" };
  expect(await call(cloudflare, "PUT", "workers/domains", { json })).toMatchObject({ status: 200 });
  const { output } = await nodeAt(cloudflare, `console.log(await (await fetch("https://www.acme.test/")).text())`);
  expect(output).toBe("plain\n");
});

test("a route leads a part of a host to its Worker, and Access lets only its service token there", async () => {
  await using cloudflare = await startCloudflare();
  await publish(cloudflare, "one", PLAIN);
  const json = [{ pattern: "www.acme.test/part/*", zone_name: cloudflare.zone }];
  expect(await call(cloudflare, "PUT", "workers/scripts/one/routes", { json })).toMatchObject({ status: 200 });
  const { output } = await nodeAt(
    cloudflare,
    `for (const path of ["part/", "other"]) console.log((await fetch("https://www.acme.test/" + path)).status);`,
  );
  expect(output).toBe("200\n502\n");
  cloudflare.protect("www.acme.test", { id: "id", secret: "secret" });
  const guarded = await nodeAt(
    cloudflare,
    `const ask = async (headers) => (await fetch("https://www.acme.test/part/", { headers, redirect: "manual" })).status;
     console.log(await ask({}), await ask({ "cf-access-client-id": "id", "cf-access-client-secret": "secret" }));`,
  );
  expect(guarded.output).toBe("302 200\n");
});

test("a tail hears what a Worker logs", async () => {
  await using cloudflare = await startCloudflare();
  await publish(cloudflare, "one", `export default { fetch() { console.log("said", 1); return new Response() } }`);
  const { result } = await call(cloudflare, "POST", "workers/scripts/one/tails", { json: {} });
  const socket = new WebSocket(z.object({ url: z.string() }).parse(result).url, "trace-v1");
  await once(socket, "open");
  const [[message]] = await Promise.all([
    once(socket, "message"),
    nodeAt(cloudflare, `await fetch("https://one.acme.workers.dev/")`),
  ]);
  socket.close();
  expect(JSON.parse(String(message.data))).toMatchObject({
    scriptName: "one",
    outcome: "ok",
    logs: [{ level: "log", message: ["said", 1] }],
    event: { request: { url: "https://one.acme.workers.dev/" } },
  });
});

test("a WebSocket passes in both directions", async () => {
  await using cloudflare = await startCloudflare();
  await publish(
    cloudflare,
    "one",
    `export default {
      fetch() {
        const [client, server] = Object.values(new WebSocketPair());
        server.accept();
        server.addEventListener("message", ({ data }) => server.send("echo of " + data));
        return new Response(null, { status: 101, webSocket: client });
      },
    };`,
  );
  const { output } = await nodeAt(
    cloudflare,
    `const socket = new WebSocket("wss://one.acme.workers.dev/");
     socket.onopen = () => socket.send("hello");
     socket.onmessage = ({ data }) => { console.log(data); socket.close(); };`,
  );
  expect(output).toBe("echo of hello\n");
});

test("a Worker that is not strictly public reaches no other one by its address", async () => {
  await using cloudflare = await startCloudflare();
  const code = `export default { fetch() { return fetch("https://other.acme.workers.dev/") } }`;
  await publish(cloudflare, "other", PLAIN);
  await publish(cloudflare, "one", code);
  const asked = `console.log(await (await fetch("https://one.acme.workers.dev/")).text())`;
  expect((await nodeAt(cloudflare, asked)).output).toBe("error code: 1042\n");
  await publish(cloudflare, "one", code, { compatibility_flags: ["global_fetch_strictly_public"] });
  expect((await nodeAt(cloudflare, asked)).output).toBe("plain\n");
});
