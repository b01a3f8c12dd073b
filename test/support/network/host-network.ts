// Hosts of a network of their own, each with a real sshd, and a deployment that reaches them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

import { type SshHost } from "../ssh-host.ts";
import { type SshHosts, startSshHosts } from "../ssh-hosts.ts";
import { Network, onHost } from "./network.ts";

export interface HostNetwork extends SshHosts {
  readonly network: Network;
  /** h1, h2 … */
  host(name: string): SshHost;
  /** A host loses its power. */
  losePower(name: string): Promise<void>;
  /** A host without power gets it back, and starts what systemd would: the jobs that ran. */
  boot(name: string): Promise<void>;
  /** Runs a program on a host to its end. Resolves to its stdout. */
  run(name: string, ...command: readonly string[]): Promise<string>;
}

/** `count` hosts: h1, h2 … `environment` is added to that of the commands, once the network's own address is known. */
export async function startHostNetwork(
  count: number,
  {
    environment = async () => ({}),
    ...cable
  }: {
    readonly shaped?: boolean;
    readonly mbits?: number;
    readonly environment?: (own: string) => Promise<NodeJS.ProcessEnv>;
  } = {},
): Promise<HostNetwork> {
  const network = await Network.create();
  const names = Array.from({ length: count }, (_, index) => `h${index + 1}`);
  const each = [];
  for (const name of names)
    each.push({ address: await network.add(name, cable), port: 22, inside: onHost(name), isFresh: true });
  const all = await startSshHosts(each, await environment(network.own));
  const host = (name: string): SshHost => {
    const found = all.hosts[names.indexOf(name)];
    if (found === undefined) throw new Error(`There is no host ${name}`);
    return found;
  };
  const run = async (name: string, ...command: readonly string[]): Promise<string> => {
    const [program = "", ...args] = [...onHost(name), ...command];
    const { PATH, TMPDIR } = process.env;
    const child = spawn(program, args, {
      cwd: host(name).home,
      env: { PATH, TMPDIR, HOME: host(name).home },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    await once(child, "exit");
    return stdout;
  };
  return {
    ...all,
    network,
    host,
    run,
    async losePower(name) {
      await network.losePower(name);
      await host(name).stop();
    },
    async boot(name) {
      await network.add(name);
      await host(name).start();
      await run(name, "sh", "-c", BOOT, join(host(name).home, ".troupe", "jobs"));
    },
    async [Symbol.asyncDispose]() {
      try {
        await all[Symbol.asyncDispose]();
      } finally {
        await network.close();
      }
    },
  };
}

const BOOT = 'for job in "$0"/*/boot.sh; do setsid sh "$job" >/dev/null 2>&1; done';
