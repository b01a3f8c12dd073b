// workerd on its way to hosts: prepared once on this machine, downloaded where it is missing, and sent once to each host.
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";

import { Connection } from "../../scripts/targets/hosts/ssh/connection.ts";
import type { Architecture } from "../../scripts/targets/hosts/workerd/architecture.ts";
import { type Preparation, workerdFor } from "../../scripts/targets/hosts/workerd/binary.ts";
import { deliverWorkerd } from "../../scripts/targets/hosts/workerd/deliver.ts";
import { download, lockedPackage } from "../../scripts/targets/hosts/workerd/download.ts";
import { noSshd, type SshHost, startSshHost } from "../support/ssh-host.ts";
import { recordedIo } from "../unit/scripts/io.ts";

const exec = promisify(execFile);
const OWN: Architecture = process.arch === "arm64" ? "arm64" : "x64";

const connect = (host: SshHost): Promise<Connection> =>
  Connection.open(
    { id: "a-host", destination: host.destination },
    { signal: AbortSignal.timeout(60_000), config: host.config },
  );

async function temporary(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "troupe-workerd-"));
  onTestFinished(async () => rm(path, { recursive: true, force: true }));
  return path;
}

/** An installed package whose binary is a program of this size, which no program strips or compresses. */
async function installed(bytes: number, program = "exit 0"): Promise<Preparation & { readonly binary: string }> {
  const [home, folder] = [await temporary(), await temporary()];
  await mkdir(join(folder, "bin"));
  const binary = join(folder, "bin", "workerd");
  await writeFile(binary, Buffer.concat([Buffer.from(`#!/bin/sh\n${program}\n`), randomBytes(bytes)]), { mode: 0o755 });
  return { home, io: recordedIo(), installed: () => folder, binary };
}

describe.skipIf(noSshd())("workerd for a host", () => {
  let host: SshHost;
  beforeEach(async () => {
    host = await startSshHost({ homeName: "a home" });
  });
  afterEach(async () => host[Symbol.asyncDispose]());

  it("arrives in a fresh home, runs there, and is not sent again", async () => {
    await using connection = await connect(host);
    const preparation = { home: await temporary(), io: recordedIo() };
    const { path, bytesSent } = await deliverWorkerd(connection, OWN, preparation);
    expect(bytesSent).toBeGreaterThan(20e6);
    expect(bytesSent).toBeLessThan(60e6);
    expect(path).toMatch(/\/a home\/\.troupe\/cache\/workerd-[0-9a-f]{16}$/);
    const ran = await connection.run('"$1" --version', { args: [path] });
    expect(ran.stdout).toMatch(/^workerd /);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect(await readdir(join(path, ".."))).toHaveLength(1);
    const again = vi.spyOn(connection, "run");
    expect(await deliverWorkerd(connection, OWN, preparation)).toEqual({ path, bytesSent: 0 });
    expect(again).toHaveBeenCalledTimes(1);
  });

  it("is sent again where its file has another size, or is no program", async () => {
    await using connection = await connect(host);
    const preparation = await installed(100_000);
    const { path } = await deliverWorkerd(connection, OWN, preparation);
    await writeFile(path, "a part");
    expect((await deliverWorkerd(connection, OWN, preparation)).bytesSent).toBeGreaterThan(90_000);
    await chmod(path, 0o600);
    await deliverWorkerd(connection, OWN, preparation);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
  });

  it("goes on where the connection broke", async () => {
    const bytes = 30_000_000;
    const preparation = await installed(bytes);
    const cache = join(host.home, ".troupe/cache");
    const partBytes = async (): Promise<number> => {
      const [part] = (await readdir(cache).catch(() => [])).filter((name) => name.endsWith(".part"));
      return part === undefined ? 0 : (await stat(join(cache, part))).size;
    };
    {
      await using connection = await connect(host);
      const delivering = deliverWorkerd(connection, OWN, preparation).catch((error: unknown) => error);
      await expect.poll(partBytes, { interval: 5 }).toBeGreaterThan(bytes / 4);
      await host.stop();
      expect(await delivering).toMatchObject({ message: expect.stringContaining("The connection to a-host was lost") });
    }
    expect((await readdir(cache)).filter((name) => !name.endsWith(".part"))).toEqual([]);
    await host.start();
    await using connection = await connect(host);
    const { path, bytesSent } = await deliverWorkerd(connection, OWN, preparation);
    expect(bytesSent).toBeLessThan(bytes * 0.8);
    expect((await readFile(path)).equals(await readFile(preparation.binary))).toBe(true);
  });

  it("that does not run there is refused, and not left there", async () => {
    await using connection = await connect(host);
    const preparation = await installed(1_000, "echo 'GLIBC_2.35 not found' >&2; exit 1");
    await expect(deliverWorkerd(connection, OWN, preparation)).rejects.toMatchObject({
      message: "workerd does not run on a-host: GLIBC_2.35 not found.",
      next: expect.stringContaining("Debian 12"),
    });
    expect(await readdir(join(host.home, ".troupe/cache"))).toEqual([]);
  });

  it("that nothing can strip is sent as it is, with a word on its size", async () => {
    await using connection = await connect(host);
    const preparation = await installed(1_500_000);
    const io = recordedIo();
    await deliverWorkerd(connection, "arm64", { ...preparation, io });
    expect(io.notes).toEqual([
      "workerd for a-host has 2 MB, since nothing here can strip it. A third less: sudo apt-get install binutils-aarch64-linux-gnu",
    ]);
    await deliverWorkerd(connection, "arm64", { ...preparation, io });
    expect(io.notes).toHaveLength(1);
  });
});

describe("the binary of this machine", () => {
  it("is stripped once for several hosts, and hashed again only when it changes", async () => {
    const preparation = await installed(1_000);
    const bin = await temporary();
    const log = join(bin, "log");
    await writeFile(join(bin, "strip"), `#!/bin/sh\necho strip >>'${log}'\nhead -c 500 "$3" >"$2"\n`, { mode: 0o755 });
    for (const name of ["aarch64-linux-gnu-strip", "x86_64-linux-gnu-strip"])
      await writeFile(join(bin, name), await readFile(join(bin, "strip")), { mode: 0o755 });
    vi.stubEnv("PATH", `${bin}:${process.env["PATH"]}`);
    await utimes(preparation.binary, 1_000, 1_000);
    onTestFinished(() => void vi.unstubAllEnvs());
    const all = await Promise.all([workerdFor(OWN, preparation), workerdFor(OWN, preparation)]);
    const last = await workerdFor(OWN, preparation);
    expect(all).toEqual([last, last]);
    expect(last).toMatchObject({ bytes: 500, isStripped: true });
    expect(last.sha256).toBe(
      createHash("sha256")
        .update(await readFile(last.path))
        .digest("hex"),
    );
    expect(await readFile(log, "utf8")).toBe("strip\n");

    await writeFile(preparation.binary, randomBytes((await stat(preparation.binary)).size));
    await utimes(preparation.binary, 1_000, 1_000);
    expect(await workerdFor(OWN, preparation)).toEqual(last);
    await utimes(preparation.binary, 1_000, 1_001);
    expect((await workerdFor(OWN, preparation)).path).not.toBe(last.path);
    expect(await readFile(log, "utf8")).toBe("strip\nstrip\n");
  });

  it("has a hash in package-lock.json for each architecture", async () => {
    for (const name of ["@cloudflare/workerd-linux-64", "@cloudflare/workerd-linux-arm64"])
      expect(await lockedPackage(name)).toMatchObject({ name, integrity: expect.stringMatching(/^sha512-.{86}==$/) });
    await expect(lockedPackage("no-such-package")).rejects.toMatchObject({ next: "Run: npm install" });
  });
});

describe("a download", () => {
  const NAME = "@cloudflare/workerd-linux-arm64";

  /** A registry of npm with one package. `sends`: what it sends as the tarball, `says`: what it calls its hash. */
  async function registry(change: { readonly sends?: Uint8Array; readonly says?: string } = {}) {
    const folder = await temporary();
    await mkdir(join(folder, "package/bin"), { recursive: true });
    await writeFile(join(folder, "package/package.json"), JSON.stringify({ name: NAME, version: "1.2.3" }));
    await writeFile(join(folder, "package/bin/workerd"), "a program", { mode: 0o755 });
    await exec("tar", ["-czf", "it.tgz", "package"], { cwd: folder });
    const tarball = await readFile(join(folder, "it.tgz"));
    const integrity = integrityOf(tarball);
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(decodeURIComponent(request.url ?? ""));
      if (request.url?.endsWith(".tgz") === true) return void response.end(change.sends ?? tarball);
      const dist = {
        tarball: `http://${request.headers.host}/it.tgz`,
        integrity: change.says ?? integrityOf(change.sends ?? tarball),
      };
      response.setHeader("content-type", "application/json");
      response.end(
        JSON.stringify({
          name: NAME,
          "dist-tags": { latest: "1.2.3" },
          versions: { "1.2.3": { name: NAME, version: "1.2.3", dist } },
        }),
      );
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const address = server.address();
    vi.stubEnv("npm_config_registry", `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/`);
    vi.stubEnv("npm_config_cache", join(folder, "npm"));
    vi.stubEnv("npm_config_fetch_retries", "0");
    onTestFinished(() => {
      vi.unstubAllEnvs();
      server.closeAllConnections();
      server.close();
    });
    return { asked, wanted: { name: NAME, version: "1.2.3", integrity } };
  }

  function integrityOf(bytes: Uint8Array): string {
    return `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  }

  it("comes from npm's registry, and once", async () => {
    const { asked, wanted } = await registry();
    const folder = await temporary();
    await mkdir(join(folder, "download-left"));
    const path = await download(wanted, folder, recordedIo());
    expect(await readFile(path, "utf8")).toBe("a program");
    expect((await stat(path)).mode & 0o100).toBe(0o100);
    expect(asked).toContain(`/${NAME}`);
    expect(asked.filter((path) => path === "/it.tgz")).toHaveLength(1);
    const before = asked.length;
    expect(await download(wanted, folder, recordedIo())).toBe(path);
    expect(asked).toHaveLength(before);
    expect(await readdir(folder)).toEqual(["workerd-1.2.3"]);
  });

  it.each([
    ["that the registry itself calls right", {}],
    ["on the way", { says: integrityOf(Buffer.from("another")) }],
  ])("that was changed %s is refused", async (_, change) => {
    const { wanted } = await registry({ sends: Buffer.from("no tarball"), ...change });
    const folder = await temporary();
    await expect(download(wanted, folder, recordedIo())).rejects.toMatchObject({
      message: `What npm got as ${NAME} 1.2.3 has not the hash of package-lock.json, so it is not used.`,
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it("of another tarball under the same name and version is refused", async () => {
    const { wanted } = await registry();
    const folder = await temporary();
    const other = { ...wanted, integrity: integrityOf(Buffer.from("another")) };
    await expect(download(other, folder, recordedIo())).rejects.toThrow("has not the hash of package-lock.json");
    expect(await readdir(folder)).toEqual([]);
  });

  it("that the registry does not have says so", async () => {
    const { wanted } = await registry();
    const missing = download({ ...wanted, version: "9.9.9" }, await temporary(), recordedIo());
    await expect(missing).rejects.toMatchObject({
      message: expect.stringMatching(/^npm cannot download @cloudflare\/workerd-linux-arm64 9\.9\.9: code ETARGET/),
      next: expect.stringContaining("npm ping"),
    });
  });

  it("without npm says so", async () => {
    vi.stubEnv("PATH", await temporary());
    onTestFinished(() => void vi.unstubAllEnvs());
    const wanted = { name: NAME, version: "1.2.3", integrity: "sha512-" };
    await expect(download(wanted, await temporary(), recordedIo())).rejects.toThrow("npm, which downloads");
  });
});
