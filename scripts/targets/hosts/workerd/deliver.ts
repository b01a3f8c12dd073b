import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { workerdBinary } from "../../local/processes/workerd.ts";
import type { Io } from "../../../terminal/io.ts";
import type { Connection } from "../ssh/connection.ts";
export async function deliverWorkerd(connection: Connection, _arch: string, _io: Io) {
  const path = workerdBinary();
  const sha256 = createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
  const to = `${connection.home}/.troupe/cache/workerd-${sha256.slice(0, 16)}`;
  return { path: to, bytesSent: await connection.send({ path }, to, { sha256, mode: 0o700 }) };
}
