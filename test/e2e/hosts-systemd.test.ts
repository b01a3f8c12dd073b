// A host whose systemd manages the account's services. A recorder stands for it, since tests run where there is none.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { Connection } from "../../scripts/targets/hosts/ssh/connection.ts";
import { Machine } from "../../scripts/targets/hosts/machine/machine.ts";
import { noSshd, type SshHost, startSshHost } from "../support/ssh-host.ts";

const exec = promisify(execFile);
const hasAnalyze = existsSync("/usr/bin/systemd-analyze");

describe.skipIf(noSshd())("a host with systemd", () => {
  let host: SshHost;
  let programs: string;
  let connection: Connection;
  const said = async () => (await readFile(join(programs, "said"), "utf8")).trim().split("\n");
  const unit = () => join(host.home, ".config/systemd/user/troupe-team.service");

  beforeAll(async () => {
    programs = await mkdtemp(join(tmpdir(), "troupe-programs-"));
    await writeFile(join(programs, "said"), "");
    await writeFile(join(programs, "systemctl"), `#!/bin/sh\necho "$@" >>'${programs}/said'\n`, { mode: 0o755 });
    await writeFile(
      join(programs, "systemd-run"),
      `#!/bin/sh\necho "run $*" >>'${programs}/said'\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n`,
      { mode: 0o755 },
    );
    host = await startSshHost({ homeName: "a home of 100%", programs });
    connection = await Connection.open(
      { id: "h", destination: host.destination },
      { signal: AbortSignal.timeout(30_000), config: host.config },
    );
  });
  afterAll(async () => {
    await connection[Symbol.asyncDispose]();
    await host[Symbol.asyncDispose]();
    await rm(programs, { recursive: true });
  });

  test("gets a unit that starts the job with the host, once", async () => {
    const machine = new Machine("h", connection, "team");
    await machine.startAtBoot();
    await machine.startAtBoot();
    expect(await said()).toEqual(["--user daemon-reload", "--user enable troupe-team.service"]);
    const text = await readFile(unit(), "utf8");
    const path = `${connection.home}/.troupe/jobs/team/boot.sh`.replaceAll("%", "%%");
    expect(text).toContain(`ExecStart=/bin/sh "${path}"\n`);
  });

  test.skipIf(!hasAnalyze)("the unit is one that systemd takes", async () => {
    const env = { ...process.env, XDG_RUNTIME_DIR: programs };
    const { stderr } = await exec("systemd-analyze", ["verify", "--user", unit()], { env });
    expect(stderr).not.toContain("troupe-team");
  });

  test("runs processes outside of the login, whose end could end them", async () => {
    const machine = new Machine("h", connection, "team");
    await connection.run('mkdir -p "$1" && echo "only never /bin/true" >"$1/processes" && echo : >"$1/run.sh"', {
      args: [machine.release(1)],
    });
    await machine.start(1, ["only"]);
    const recorded = async () => (await said()).find((line) => line.startsWith("run "));
    await expect.poll(recorded).toMatch(/^run --user --scope --quiet --collect -- .*setsid env -i .*run\.sh/);
  });

  test("forgets the unit with the job", async () => {
    await new Machine("h", connection, "team").remove();
    expect(existsSync(unit())).toBe(false);
    expect((await said()).slice(-2)).toEqual(["--user disable troupe-team.service", "--user daemon-reload"]);
  });
});
