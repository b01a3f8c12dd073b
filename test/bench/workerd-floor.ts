// The floor of durability: a bare workerd that, for each request, creates a SQLite object and writes one row.
import { spawn } from "node:child_process";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { workerdBinary } from "../../scripts/targets/local/processes/workerd.ts";

const WORKER = `
import { DurableObject } from "cloudflare:workers";
export class Row extends DurableObject {
  write(text) {
    this.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS row (text TEXT)");
    this.ctx.storage.sql.exec("INSERT INTO row VALUES (?)", text);
    return this.ctx.storage.sql.exec("SELECT COUNT(*) AS n FROM row").one().n;
  }
}
export default {
  async fetch(request, env) {
    const { message } = await request.json();
    return Response.json({ n: await env.ROW.getByName(message.messageId).write("row") });
  },
};`;

const folder = mkdtempSync(join(tmpdir(), "troupe-floor-"));
const port = await freePort();
mkdirSync(join(folder, "data"));
writeFileSync(join(folder, "worker.js"), WORKER);
writeFileSync(
  join(folder, "config.capnp"),
  `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main), (name = "data", disk = (path = ${JSON.stringify(join(folder, "data"))}, writable = true))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-10-01",
  durableObjectNamespaces = [(className = "Row", uniqueKey = "Row", enableSql = true)],
  durableObjectStorage = (localDisk = "data"),
  bindings = [(name = "ROW", durableObjectNamespace = "Row")],
);`,
);
const child = spawn(workerdBinary(), ["serve", join(folder, "config.capnp")], { stdio: "inherit" });
process.on("SIGTERM", () => child.kill());
child.on("exit", () => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
});
for (let tries = 0; tries < 100; tries++) {
  const ready = await fetch(`http://127.0.0.1:${port}`, {
    method: "POST",
    body: '{"message":{"messageId":"ready"}}',
  }).then(
    ({ ok }) => ok,
    () => false,
  );
  if (ready) break;
  await new Promise((resolve) => setTimeout(resolve, 20));
}
console.log(`http://127.0.0.1:${port} ${child.pid}`);

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
