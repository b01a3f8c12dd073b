// A proxy of the environment, and the real fetch of a Node that is told to use it.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

import { keepLoopbackDirect } from "../../../../scripts/project/proxy.ts";

const MODULE = join(import.meta.dirname, "../../../../scripts/project/proxy.ts");
const LOOPBACK = "localhost,127.0.0.1,[::1]";

test.each([
  ["nothing", {}, { NO_PROXY: LOOPBACK }],
  ["hosts of one's own, which stay", { NO_PROXY: "intra.example" }, { NO_PROXY: `intra.example,${LOOPBACK}` }],
  ["one of its names", { NO_PROXY: "localhost" }, { NO_PROXY: LOOPBACK }],
  ["every host", { NO_PROXY: "*" }, { NO_PROXY: "*" }],
  [
    "small letters, which win",
    { no_proxy: "a b", NO_PROXY: "c" },
    { no_proxy: `a b,${LOOPBACK}`, NO_PROXY: `c,${LOOPBACK}` },
  ],
  ["nothing in small letters, which wins too", { no_proxy: "" }, { no_proxy: LOOPBACK, NO_PROXY: LOOPBACK }],
])("this machine is added to NO_PROXY where it holds %s", (_, before, after) => {
  const environment: NodeJS.ProcessEnv = { ...before };
  keepLoopbackDirect(environment);
  expect(environment).toEqual(after);
  keepLoopbackDirect(environment);
  expect(environment).toEqual(after);
});

async function listening(said: string): Promise<{ server: Server; port: number }> {
  const server = createServer((_, response) => response.end(said)).listen(0, "127.0.0.1");
  // Through a proxy Node asks for a tunnel; this one leads to the proxy itself.
  server.on("connect", (_, socket) => {
    socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
    server.emit("connection", socket);
  });
  await once(server, "listening");
  const address = server.address();
  return { server, port: typeof address === "object" && address !== null ? address.port : 0 };
}

test("what runs on this machine is asked directly, all else through the proxy", async () => {
  const proxy = await listening("proxy");
  const agent = await listening("agent");
  try {
    const urls = [`http://127.0.0.1:${agent.port}`, `http://localhost:${agent.port}`, "http://elsewhere.test"];
    const script = `
      const { keepLoopbackDirect } = await import(${JSON.stringify(MODULE)});
      keepLoopbackDirect(process.env);
      for (const url of ${JSON.stringify(urls)}) console.log(await (await fetch(url)).text());`;
    const address = `http://127.0.0.1:${proxy.port}`;
    const env = { PATH: process.env["PATH"], NODE_USE_ENV_PROXY: "1", http_proxy: address, HTTP_PROXY: address };
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { env });
    expect(stdout.trim().split("\n")).toEqual(["agent", "agent", "proxy"]);
  } finally {
    for (const { server } of [proxy, agent]) server.close().closeAllConnections();
  }
});
