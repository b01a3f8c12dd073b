import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Connection } from "../../scripts/targets/hosts/ssh/connection.ts";
import { cannotMount, mountTmpfs } from "../support/mounted.ts";
import { descendants, noSshd, type SshHost, startSshHost } from "../support/ssh-host.ts";

const MODULE = join(import.meta.dirname, "../../scripts/targets/hosts/ssh/connection.ts");

const connect = (host: SshHost): Promise<Connection> =>
  Connection.open(
    { id: "a-host", destination: host.destination },
    { signal: AbortSignal.timeout(30_000), config: host.config },
  );

const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function gone(pids: readonly number[]): Promise<void> {
  await expect.poll(() => pids.filter(isAlive), { timeout: 5_000 }).toEqual([]);
}

async function listening(server: Server): Promise<number> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("No port");
  return address.port;
}

describe.skipIf(noSshd())("a host by SSH", () => {
  let host: SshHost;
  beforeAll(async () => {
    host = await startSshHost({ homeName: "a home" });
  });
  afterAll(async () => host[Symbol.asyncDispose]());

  it("is found by an alias that only the ssh config knows", async () => {
    await using connection = await connect(host);
    expect(connection.home).toBe(host.home);
  });

  it("is found at an IPv6 address", async () => {
    await using six = await startSshHost({ address: "::1" });
    await using connection = await Connection.open(
      { id: "six", destination: "::1", port: six.port },
      { signal: AbortSignal.timeout(30_000), config: six.config },
    );
    expect(connection.home).toBe(six.home);
  });

  it("runs a script with its arguments, stdin and exit code", async () => {
    await using connection = await connect(host);
    const args = ["a b", "it's", "", "two\nlines", "$HOME!\\", "*"];
    const ran = await connection.run(`printf '%s|' "$@"; cat; echo no >&2; exit 7`, { args, input: "in" });
    expect(ran).toEqual({ code: 7, stdout: `${args.join("|")}|in`, stderr: "no\n" });
  });

  it("begins scripts in the home folder, for the account's eyes only", async () => {
    await using connection = await connect(host);
    const { stdout } = await connection.run("pwd; umask");
    expect(stdout).toBe(`${host.home}\n0077\n`);
  });

  it("refuses output without end", async () => {
    await using connection = await connect(host);
    await expect(connection.run("while :; do echo yes; done", { maxBytes: 1_000 })).rejects.toThrow(
      "a-host prints more than 1000 bytes where a short answer is due.",
    );
    expect((await connection.run("echo still here")).stdout).toBe("still here\n");
  });

  it("runs many scripts at a time", async () => {
    await using connection = await connect(host);
    const numbers = Array.from({ length: 30 }, (_, n) => `${n}\n`);
    const ran = await Promise.all(numbers.map((n) => connection.run("cat", { input: n })));
    expect(ran.map(({ stdout }) => stdout)).toEqual(numbers);
  });

  it("lets a script be left", async () => {
    await using connection = await connect(host);
    const leaving = new AbortController();
    const running = connection.run("sleep 60", { signal: leaving.signal });
    leaving.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
  });

  it("follows a script until the signal ends it there, too", async () => {
    await using connection = await connect(host);
    const enough = new AbortController();
    const seen: string[] = [];
    const script = `exec sh -c 'printf "%s\\n" "$1" "" $$; exec sleep 60' sh "$1"`;
    for await (const line of connection.lines(script, { args: ["one  two"], signal: enough.signal })) {
      seen.push(line);
      if (/^\d+$/.test(line)) enough.abort();
    }
    expect(seen.slice(0, 2)).toEqual(["one  two", ""]);
    await gone([Number(seen[2])]);
  });

  it("ends a script that runs on when the connection is lost", async () => {
    await using own = await startSshHost();
    await using connection = await connect(own);
    const lines = connection.lines("exec sh -c 'echo $$; exec sleep 60'", {
      signal: AbortSignal.timeout(30_000),
    });
    const seen: string[] = [];
    const reading = (async () => {
      for await (const line of lines) {
        seen.push(line);
        for (const pid of await own.connections()) process.kill(pid, "SIGKILL");
      }
    })();
    await expect(reading).rejects.toThrow("The connection to a-host was lost");
    await gone(seen.map(Number));
  });

  it("says that the connection was lost when it is cut in the middle of a script", async () => {
    await using own = await startSshHost();
    await using connection = await connect(own);
    const running = connection.run("sleep 60").catch((error: unknown) => error);
    await own.stop();
    expect(await running).toMatchObject({
      message: expect.stringContaining("The connection to a-host was lost"),
      next: expect.stringContaining("run the command again"),
    });
    await expect(connection.run("true")).rejects.toThrow("The connection to a-host was lost");
    await expect(connection.forward(1_024, 80)).rejects.toThrow("The connection to a-host was lost");
  });

  it("forwards a port to the host, and says that a port is taken", async () => {
    await using connection = await connect(host);
    const server = createServer((_request, response) => response.end("hello"));
    const spare = createServer();
    const [remote, local] = [await listening(server), await listening(spare)];
    await expect(connection.forward(local, remote)).rejects.toThrow(`Port ${local} of this machine is not free.`);
    await new Promise((resolve) => spare.close(resolve));
    await connection.forward(local, remote);
    const answer = await fetch(`http://127.0.0.1:${local}/`, { headers: { connection: "close" } });
    expect(await answer.text()).toBe("hello");
    server.close();
  });

  it("is left without a process or a socket when this process is killed", async () => {
    const folder = await mkdtemp(join(tmpdir(), "t-"));
    const program = `
      const { Connection } = await import(${JSON.stringify(MODULE)});
      const connection = await Connection.open({ id: "h", destination: "test-host" }, { signal: AbortSignal.timeout(30000) });
      void connection.run("sleep 60");
      console.log("connected");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      env: { ...process.env, TMPDIR: folder, TROUPE_SSH_CONFIG: host.config },
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      await once(child.stdout, "data");
      const ssh = await descendants(child.pid ?? -1);
      expect(ssh.length).toBeGreaterThan(1);
      expect(await readdir(folder)).toHaveLength(1);
      child.kill("SIGKILL");
      await gone(ssh);
      await expect.poll(() => readdir(folder)).toEqual([]);
    } finally {
      child.kill("SIGKILL");
      await rm(folder, { recursive: true });
    }
  });

  it("is left without a process when the connection is closed", async () => {
    const before = await descendants(process.pid);
    const connection = await connect(host);
    const ssh = (await descendants(process.pid)).filter((pid) => !before.includes(pid));
    await connection[Symbol.asyncDispose]();
    await gone(ssh);
    await expect(connection.run("true")).rejects.toThrow("The connection to a-host was lost");
  });
});

const SHELLS = ["/bin/sh", "/bin/bash", "/bin/dash", "/usr/bin/zsh", "/usr/bin/fish", "/bin/tcsh"];

describe.skipIf(noSshd())("a login shell", () => {
  it.each(SHELLS.filter(existsSync))("%s does not change a script", async (shell) => {
    await using host = await startSshHost({ shell, banner: "Welcome to $HOME!", umask: "077" });
    await using connection = await connect(host);
    const args = [`"it's"`, "two\nlines", "a\\b $x `y` !z"];
    const ran = await connection.run(`printf '%s|' "$@"; echo no >&2`, { args });
    expect(ran).toEqual({ code: 0, stdout: `${args.join("|")}|`, stderr: "no\n" });
    expect(connection.home).toBe(host.home);
  });

  it("keeps the path of a home that is a symlink", async () => {
    await using host = await startSshHost({ homeIsLink: true, homeName: "a link" });
    await using connection = await connect(host);
    expect(connection.home).toBe(host.home);
    await connection.send({ bytes: Buffer.from("x") }, `${connection.home}/a folder/file`, {
      sha256: sha256Of(Buffer.from("x")),
    });
    expect(await readFile(join(host.folder, "real home/a folder/file"), "utf8")).toBe("x");
  });

  it("that refuses commands is said", async () => {
    await using host = await startSshHost({ shell: "/bin/false" });
    await expect(connect(host)).rejects.toThrow(
      "ssh does not reach a-host: its login shell ended at once, or the connection was lost.",
    );
  });
});

describe.skipIf(noSshd())("what ssh refuses", () => {
  let host: SshHost;
  beforeAll(async () => {
    host = await startSshHost();
  });
  afterAll(async () => host[Symbol.asyncDispose]());

  const refusal = async (destination: string, port?: number, config = host.config): Promise<unknown> => {
    const to = { id: "a-host", destination, ...(port === undefined ? {} : { port }) };
    try {
      await using _connection = await Connection.open(to, { signal: AbortSignal.timeout(40_000), config });
      return undefined;
    } catch (error) {
      return error;
    }
  };
  const says = (message: string, next: string): object => ({
    code: "failed",
    message: expect.stringContaining(message),
    next: expect.stringContaining(next),
  });

  it("an unknown host", async () => {
    expect(await refusal("no-such-host.invalid")).toMatchObject(
      says("No host has the name no-such-host.invalid", "Check the spelling"),
    );
  });

  it("a port at which nothing listens", async () => {
    const server = createServer();
    const port = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await refusal("127.0.0.1", port)).toMatchObject(says("refuses the connection", "Start sshd"));
  });

  it("a host that never answers", async () => {
    const mute = createServer();
    mute.removeAllListeners("connection");
    expect(await refusal("127.0.0.1", await listening(mute))).toMatchObject(
      says("does not answer within 10 seconds", "firewall"),
    );
    mute.closeAllConnections();
    mute.close();
  });

  it("an unknown host key", async () => {
    await using own = await startSshHost();
    await writeFile(own.knownHosts, "");
    expect(await refusal("test-host", undefined, own.config)).toMatchObject(
      says("is not known here", "Connect once with: ssh test-host"),
    );
    expect(await readFile(own.knownHosts, "utf8")).toBe("");
  });

  it("a changed host key", async () => {
    await using own = await startSshHost();
    const [name = "", kind = ""] = (await readFile(own.knownHosts, "utf8")).split(" ");
    const [, other = ""] = (await readFile(join(own.folder, "user_key.pub"), "utf8")).split(" ");
    await writeFile(own.knownHosts, `${name} ${kind} ${other}\n`);
    expect(await refusal("test-host", undefined, own.config)).toMatchObject(
      says("The host key of a-host has changed (now SHA256:", "ssh-keygen -R"),
    );
  });

  it("a wrong key", async () => {
    await using own = await startSshHost();
    await writeFile(join(own.folder, "authorized_keys"), await readFile(join(own.folder, "host_key.pub")));
    expect(await refusal("test-host", undefined, own.config)).toMatchObject(
      says("a-host takes no key that ssh offers.", "ssh-add"),
    );
  });

  it("an account that wants a password", async () => {
    await using own = await startSshHost({ passwords: true });
    await writeFile(join(own.folder, "authorized_keys"), "");
    expect(await refusal("test-host", undefined, own.config)).toMatchObject(
      says("It would take a password, which nobody can type here.", "ssh-copy-id test-host"),
    );
  });

  it("a program that is no sshd", async () => {
    const server = createServer();
    expect(await refusal("127.0.0.1", await listening(server))).toMatchObject(
      says("ended the connection before it was made", "read its log"),
    );
    server.close();
  });

  it("a config file that is missing", async () => {
    expect(await refusal("test-host", undefined, join(host.folder, "none"))).toMatchObject(
      says("cannot be read", "TROUPE_SSH_CONFIG"),
    );
  });

  it("a machine without ssh", async () => {
    const path = process.env["PATH"];
    process.env["PATH"] = host.folder;
    const error = await refusal("test-host");
    process.env["PATH"] = path;
    expect(error).toMatchObject(says("This machine has no ssh program.", "openssh-client"));
  });

  it("nothing, where the user gives up", async () => {
    const mute = createServer();
    mute.removeAllListeners("connection");
    const port = await listening(mute);
    const leaving = new AbortController();
    const opening = Connection.open(
      { id: "a-host", destination: "127.0.0.1", port },
      { signal: leaving.signal, config: host.config },
    );
    leaving.abort(new Error("enough"));
    await expect(opening).rejects.toThrow("enough");
    mute.closeAllConnections();
    mute.close();
  });
});

describe.skipIf(noSshd())("a file for a host", () => {
  let host: SshHost;
  beforeAll(async () => {
    host = await startSshHost({
      homeName: "its home",
      shell: existsSync("/usr/bin/fish") ? "/usr/bin/fish" : "/bin/sh",
    });
  });
  afterAll(async () => host[Symbol.asyncDispose]());

  it("arrives with its mode, gzipped on the way, and only once", async () => {
    await using connection = await connect(host);
    const bytes = Buffer.from("all the same ".repeat(50_000));
    const [to, sha256] = [`${connection.home}/new folder/it's a file`, sha256Of(bytes)];
    const progress: number[] = [];
    const sent = await connection.send({ bytes }, to, {
      sha256,
      mode: 0o700,
      onProgress: (done, of) => progress.push(done / of),
    });
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(bytes.length / 10);
    expect(await readFile(to)).toEqual(bytes);
    expect((await stat(to)).mode & 0o777).toBe(0o700);
    expect(progress.at(-1)).toBe(1);
    expect(await connection.send({ bytes }, to, { sha256, mode: 0o700 })).toBe(0);
    expect(await readdir(join(connection.home, "new folder"))).toEqual(["it's a file"]);
  });

  it("replaces an older one", async () => {
    await using connection = await connect(host);
    const to = `${connection.home}/older`;
    await writeFile(to, "older");
    await connection.send({ bytes: Buffer.from("newer") }, to, { sha256: sha256Of(Buffer.from("newer")) });
    expect(await readFile(to, "utf8")).toBe("newer");
    expect((await stat(to)).mode & 0o777).toBe(0o600);
  });

  it("goes on where the connection broke", async () => {
    await using own = await startSshHost();
    const bytes = randomBytes(24 * 1_024 * 1_024);
    const path = join(own.folder, "content");
    await writeFile(path, bytes);
    const sha256 = sha256Of(bytes);
    const to = `${own.home}/big`;
    {
      await using connection = await connect(own);
      let cut: Promise<void> | undefined;
      const sending = connection.send({ path }, to, {
        sha256,
        onProgress: (sent) => {
          if (sent > bytes.length / 2) cut ??= own.stop();
        },
      });
      await expect(sending).rejects.toThrow("The connection to a-host was lost");
      await cut;
    }
    expect(existsSync(to)).toBe(false);
    await own.start();
    await using connection = await connect(own);
    const sent = await connection.send({ path }, to, { sha256 });
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(bytes.length * 0.8);
    expect(sha256Of(await readFile(to))).toBe(sha256);
  });

  it("is sent anew where the rest of an earlier try is damaged", async () => {
    await using connection = await connect(host);
    const bytes = randomBytes(100_000);
    const [to, sha256] = [`${connection.home}/damaged`, sha256Of(bytes)];
    await writeFile(`${to}.${sha256.slice(0, 16)}.part`, "not the beginning");
    expect(await connection.send({ bytes }, to, { sha256 })).toBeGreaterThan(100_000);
    expect(await readFile(to)).toEqual(bytes);
  });

  it("is not put in place with another hash", async () => {
    await using connection = await connect(host);
    const to = `${connection.home}/wrong`;
    const sending = connection.send({ bytes: Buffer.from("a") }, to, { sha256: sha256Of(Buffer.from("b")) });
    await expect(sending).rejects.toThrow(`What arrived at a-host as ${to} is not what was sent.`);
    expect((await readdir(connection.home)).filter((name) => name.startsWith("wrong"))).toEqual([]);
  });

  it("that cannot be read here fails as such", async () => {
    await using connection = await connect(host);
    await expect(
      connection.send({ path: join(host.folder, "none") }, `${connection.home}/none`, { sha256: "0".repeat(64) }),
    ).rejects.toThrow("ENOENT");
  });

  it.skipIf(cannotMount("a full disk on a host"))("says that the disk is full", async () => {
    await using own = await startSshHost();
    await using _disk = await mountTmpfs(own.home, "size=1m");
    await using connection = await connect(own);
    const bytes = randomBytes(4_000_000);
    const sending = connection.send({ bytes }, `${own.home}/f`, { sha256: sha256Of(bytes) });
    await expect(sending).rejects.toMatchObject({
      message: `The place of ${own.home}/f at a-host has no space left.`,
      next: expect.stringContaining("Free some"),
    });
  });

  it.skipIf(cannotMount("a read-only home on a host"))("says that the home is read-only", async () => {
    await using own = await startSshHost();
    await using _disk = await mountTmpfs(own.home, "ro");
    await using connection = await connect(own);
    const sending = connection.send({ bytes: Buffer.from("x") }, `${own.home}/f`, {
      sha256: sha256Of(Buffer.from("x")),
    });
    await expect(sending).rejects.toThrow(`The place of ${own.home}/f at a-host is read-only.`);
  });

  it.skipIf(process.getuid?.() === 0)("says that a folder belongs to somebody else", async () => {
    await using own = await startSshHost();
    await chmod(own.home, 0o500);
    await using connection = await connect(own);
    const sending = connection.send({ bytes: Buffer.from("x") }, `${own.home}/f`, {
      sha256: sha256Of(Buffer.from("x")),
    });
    await expect(sending).rejects.toThrow("belongs to somebody else");
    await chmod(own.home, 0o700);
  });
});
