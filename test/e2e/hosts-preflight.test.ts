// Real hosts are asked what they have, and a job that does not fit is refused with everything that is in the way.
import { execFile } from "node:child_process";
import { chmod, readdir, rm, statfs, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";

import { planJob } from "#jobs/plan/plan.ts";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { factsOf, preflight } from "../../scripts/targets/hosts/preflight/preflight.ts";
import { Connection } from "../../scripts/targets/hosts/ssh/connection.ts";
import { noSshd, type SshHost, startSshHost } from "../support/ssh-host.ts";
import { jobWith } from "../unit/jobs/support.ts";
import { recordedIo } from "../unit/scripts/io.ts";

const exec = promisify(execFile);

const connect = (host: SshHost, id: string): Promise<Connection> =>
  Connection.open({ id, destination: host.destination }, { signal: AbortSignal.timeout(60_000), config: host.config });

async function listening(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

describe.skipIf(noSshd())("a host", () => {
  let host: SshHost;
  beforeAll(async () => {
    host = await startSshHost({ homeName: "a home" });
  });
  afterAll(async () => host[Symbol.asyncDispose]());

  const planFor = (ports: Readonly<Record<string, number>>) =>
    planJob(jobWith("{ type: hub-spoke, hub: a, spokes: [b, c, d] }", "deployment: { target: ssh://h1 }"), {
      hasAnthropicKey: false,
      ports,
      objects: {},
    });

  it("tells what this machine is", async () => {
    await using connection = await connect(host, "h1");
    const port = await listening();
    const facts = await factsOf(connection, { job: "a", ports: [port] }, AbortSignal.timeout(60_000));
    const { bavail, bsize } = await statfs(host.home);
    const [, major, minor] = /(\d+)\.(\d+)/.exec((await exec("getconf", ["GNU_LIBC_VERSION"])).stdout) ?? [];
    expect(facts).toMatchObject({
      kernel: "Linux",
      architecture: process.arch,
      libc: { kind: "glibc", major: Number(major), minor: Number(minor) },
      missingLoader: undefined,
      unwritable: undefined,
      isNoexec: false,
      clockAheadMs: 0,
      missingPrograms: [],
      processes: [],
      workerds: [],
    });
    expect(facts.listeners).toEqual([{ port, isOnLoopback: true, pid: process.pid, program: expect.anything() }]);
    expect(facts.freeBytes).toBeGreaterThan(0.5 * bavail * bsize);
    expect(facts.freeBytes).toBeLessThan(2 * bavail * bsize);
    expect(await readdir(join(host.home, ".troupe"))).toEqual([]);
  });

  it("on which the plan fits is told with its architecture", async () => {
    await using connection = await connect(host, "h1");
    const plan = planFor({ a: 1, b: 2, c: 3, d: 4 });
    const checked = await preflight([{ id: "h1", connection }], [{ plan, controlPlanePort: 5 }], recordedIo());
    expect([...checked]).toMatchObject([
      ["h1", { connection, architecture: process.arch, facts: { kernel: "Linux" } }],
    ]);
  });

  it("on which it does not fit is refused with all that is in the way, on all hosts", async () => {
    await using other = await startSshHost();
    await using one = await connect(host, "h1");
    await using two = await connect(other, "h2");
    await writeFile(join(other.home, ".troupe"), "");
    const [a, b] = [await listening(), await listening()];
    const machines = [
      { id: "h1", connection: one },
      { id: "h2", connection: two },
    ];
    const plan = planFor({ a, b, c: 3, d: 4 });
    const refused = preflight(machines, [{ plan, controlPlanePort: 5 }], recordedIo());
    await expect(refused).rejects.toMatchObject({
      code: "failed",
      message: expect.stringMatching(
        new RegExp(
          `^Port ${a} of h1, for the agent a, is taken by .+ \\(process ${process.pid}\\)\\. End that .+\n` +
            `Port ${b} of h1, for the agent b, is taken .+\n~/\\.troupe cannot be written on h2: .*File exists\\. .+$`,
        ),
      ),
      next: "3 findings. Nothing was sent.",
    });
  });

  it("named twice is refused, since the processes would mix", async () => {
    await using one = await connect(host, "h1");
    await using two = await connect(host, "h2");
    const machines = [
      { id: "h1", connection: one },
      { id: "h2", connection: two },
    ];
    const plan = planFor({ a: 1, b: 2, c: 3, d: 4 });
    await expect(preflight(machines, [{ plan, controlPlanePort: 5 }], recordedIo())).rejects.toThrow(
      "h2 and h1 have the same folder ~/.troupe",
    );
  });

  it("whose programs are others is believed", async () => {
    await using own = await startSshHost({ shell: join(host.folder, "other-shell") });
    const shell = join(host.folder, "other-shell");
    await writeFile(shell, `#!/bin/sh\nPATH='${host.folder}/bin':$PATH exec /bin/sh "$@"\n`);
    await chmod(shell, 0o755);
    const bin = join(host.folder, "bin");
    await exec("mkdir", [bin]);
    for (const [name, script] of [
      ["getconf", "echo glibc 2.31"],
      ["date", "echo $(($(/bin/date +%s) - 600))"],
    ] as const)
      await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    onTestFinished(async () => rm(bin, { recursive: true }));
    await using connection = await connect(own, "h1");
    const plan = planFor({ a: 1, b: 2, c: 3, d: 4 });
    const refused = preflight([{ id: "h1", connection }], [{ plan, controlPlanePort: 5 }], recordedIo());
    await expect(refused).rejects.toMatchObject({
      message: expect.stringMatching(/^h1 has glibc 2\.31, .+\nThe clock of h1 is 10 minutes behind this machine's\. /),
    });
  });
});
