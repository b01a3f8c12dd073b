// The script that asks a host, run by this machine's sh with some of its programs replaced, and how its answer is read.
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { describe, expect, it, onTestFinished } from "vitest";

import { type HostFacts, readFacts } from "../../../../../scripts/targets/hosts/preflight/facts.ts";
import { FACTS, wantedPorts } from "../../../../../scripts/targets/hosts/preflight/preflight.ts";
import { identify } from "../../../../../scripts/targets/local/state/process.ts";

const exec = promisify(execFile);
const NOW = { fromMs: 1_000_000_000_000, toMs: 1_000_000_000_100 };
const CLOCK = "clock=1000000000\nkernel=Linux\n";

describe.skipIf(process.platform !== "linux")("a host", () => {
  async function folder(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), "troupe-facts-"));
    onTestFinished(async () => rm(path, { recursive: true, force: true }));
    return path;
  }

  /** `programs`: name → script that takes its place. */
  async function ask(home: string, programs: Readonly<Record<string, string>> = {}, ports = ""): Promise<HostFacts> {
    const bin = join(await folder(), "bin");
    await mkdir(bin);
    for (const [name, script] of Object.entries(programs)) {
      await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
      await chmod(join(bin, name), 0o700);
    }
    const fromMs = Date.now();
    const env = { HOME: home, PATH: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin` };
    const { stdout } = await exec("/bin/sh", ["-c", FACTS, "facts", ports], { env, cwd: home });
    return readFacts(stdout, { fromMs, toMs: Date.now() });
  }

  it("like this machine has a folder for Troupe afterwards, and nothing in it", async () => {
    const home = await folder();
    const facts = await ask(home);
    expect(facts).toMatchObject({ kernel: "Linux", unwritable: undefined, isNoexec: false, clockAheadMs: 0 });
    expect(facts.freeBytes).toBeGreaterThan(0);
    expect(facts.freeMemoryBytes).toBeGreaterThan(0);
    expect(await readdir(join(home, ".troupe"))).toEqual([]);
  });

  it("with an old glibc, another processor, or musl says so", async () => {
    const home = await folder();
    const old = await ask(home, {
      getconf: "echo glibc 2.31",
      uname: "case $1 in -s) echo Linux;; *) echo armv7l; esac",
    });
    expect(old).toMatchObject({ architecture: undefined, libc: { kind: "glibc", major: 2, minor: 31 } });
    const musl = await ask(home, { getconf: "exit 1", ldd: "echo 'musl libc (x86_64)' >&2; exit 1" });
    expect(musl.libc).toEqual({ kind: "musl" });
  });

  it("that is no Linux is asked nothing else", async () => {
    const home = await folder();
    expect(await ask(home, { uname: "echo Darwin" })).toMatchObject({ kernel: "Darwin" });
    expect(await readdir(home)).toEqual([]);
  });

  it("whose clock is off, or whose disk is full, says so", async () => {
    const facts = await ask(await folder(), {
      date: "echo $(($(/bin/date +%s) + 600))",
      df: "echo 'Filesystem'; echo '/dev/a disk 100 95 5 95% /'",
    });
    expect(facts.freeBytes).toBe(5 * 1_024);
    expect(Math.round(facts.clockAheadMs / 10_000)).toBe(60);
  });

  it("without a program says which", async () => {
    const home = await folder();
    const bin = await folder();
    for (const name of ["date", "uname", "sed", "grep", "mkdir", "chmod", "rm", "cat", "df", "tail", "stat", "id"])
      await writeFile(join(bin, name), `#!/bin/sh\nexec /bin/${name} "$@"\n`, { mode: 0o700 });
    const { stdout } = await exec("/bin/sh", ["-c", FACTS, "facts", ""], { env: { HOME: home, PATH: bin } });
    expect(readFacts(stdout, NOW).missingPrograms).toEqual([
      "base64",
      "dd",
      "gzip",
      "sha256sum",
      "ssh-keygen",
      "setsid",
    ]);
  });

  it("whose home cannot be written says why", async () => {
    const home = await folder();
    await writeFile(join(home, ".troupe"), "");
    expect((await ask(home)).unwritable).toContain("File exists");
  });

  it("tells who listens on a port, and which jobs run", async () => {
    const home = await folder();
    const data = join(home, ".troupe/jobs/other-job/data");
    await mkdir(data, { recursive: true });
    await writeFile(join(data, "all-agents.lock"), `${JSON.stringify(await identify(process.pid))}\n`);
    await mkdir(join(home, ".troupe/cache"));
    for (const name of ["workerd-1", "workerd-2.0.part"]) await writeFile(join(home, ".troupe/cache", name), "");
    const servers = [createServer().listen(0, "127.0.0.1"), createServer().listen(0, "::")];
    onTestFinished(() => servers.forEach((server) => server.close()));
    await Promise.all(servers.map(async (server) => once(server, "listening")));
    const ports = servers.map((server) => (server.address() as { port: number }).port);
    const facts = await ask(home, {}, wantedPorts([1, ...ports]));
    expect(facts.processes).toEqual([{ pid: process.pid, job: "other-job" }]);
    expect(facts.workerds).toEqual(["workerd-1"]);
    expect(facts.listeners).toEqual(
      ports.map((port) => ({ port, isOnLoopback: true, pid: process.pid, program: expect.stringMatching(/./) })),
    );
  });

  it("keeps its folder to its owner", async () => {
    const home = await folder();
    await exec("/bin/sh", ["-c", `umask 077\n${FACTS}`, "facts", ""], { env: { ...process.env, HOME: home } });
    expect((await stat(join(home, ".troupe"))).mode & 0o777).toBe(0o700);
  });
});

describe("an answer", () => {
  const read = (text: string): HostFacts => readFacts(CLOCK + text, NOW);

  it.each([
    ["glibc 2.41", { kind: "glibc", major: 2, minor: 41 }],
    ["ldd (Debian GLIBC 2.36-9+deb12u10) 2.36", { kind: "glibc", major: 2, minor: 36 }],
    ["ldd (GNU libc) 2.17", { kind: "glibc", major: 2, minor: 17 }],
    ["musl libc (aarch64)", { kind: "musl" }],
    ["sh: ldd: not found", { kind: "unknown" }],
  ])("that names the libc as %s is understood", (text, libc) => {
    expect(read(`libc=${text}`).libc).toEqual(libc);
  });

  it("about a folder of the network is the same on all machines that have it", () => {
    const disk = "disk=server:/homes 1 1 1 1% /home\n";
    expect(read(`${disk}folder=boot-1 40 99`).folder).toBe(read(`${disk}folder=boot-2 41 99`).folder);
    const own = "disk=/dev/sda1 1 1 1 1% /\n";
    expect(read(`${own}folder=boot-1 40 99`).folder).not.toBe(read(`${own}folder=boot-2 40 99`).folder);
  });

  it.each([
    [999_999_999, 1_000_000_000_000, 1_000_000_000_500, 0],
    [1_000_000_000, 1_000_000_000_000, 1_000_000_900_000, 0],
    [1_000_000_030, 1_000_000_000_000, 1_000_000_000_100, 29_900],
    [999_999_969, 1_000_000_000_000, 1_000_000_000_100, -30_000],
  ])("counts what the round trip cannot explain: %i", (second, fromMs, toMs, ahead) => {
    expect(readFacts(`clock=${second}\nkernel=Linux`, { fromMs, toMs }).clockAheadMs).toBe(ahead);
  });

  it.each([
    ["0100007F", true],
    ["00000000", true],
    ["00000000000000000000000000000000", true],
    ["0000000000000000FFFF00000100007F", true],
    ["0501A8C0", false],
    ["00000000000000000000000001000000", false],
  ])("with a listener on %s tells whether it is in the way of 127.0.0.1: %s", (address, isOnLoopback) => {
    const text = `listener=${address}:1F90 55\nholder=55 7 a program\nholder=55 8 its child`;
    expect(read(text).listeners).toEqual([{ port: 8_080, isOnLoopback, pid: 7, program: "a program" }]);
  });

  it("of another program is refused", () => {
    expect(() => readFacts("Welcome!", NOW)).toThrow("expected string");
  });
});
