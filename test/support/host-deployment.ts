// A job deployed over several hosts, each a real sshd of this user with a home folder of its own, by the real command line.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { Deployment } from "./deployment.ts";
import { type SshHost, startSshHost } from "./ssh-host.ts";

export interface HostDeployment extends AsyncDisposable {
  readonly deployment: Deployment;
  /** In the order of the addresses; the host file calls them h1, h2 and so on, with one slot each. */
  readonly hosts: readonly SshHost[];
  /** Path of the host file. */
  readonly file: string;
}

/** Hosts at these addresses, such as 127.0.0.2, and a command line that reaches them. `groups`: the name of a group for each. */
export async function startHosts(
  addresses: readonly string[],
  groups: readonly string[] = [],
): Promise<HostDeployment> {
  const hosts = await Promise.all(addresses.map(async (address) => startSshHost({ address })));
  const deployment = await Deployment.create();
  const file = join(deployment.home, "hosts");
  const config = join(deployment.home, "ssh_config");
  const aliases = hosts.map(
    ({ address, port, folder, knownHosts }, index) => `
Host h${index + 1}
  HostName ${address}
  Port ${port}
  IdentityFile "${join(folder, "user_key")}"
  UserKnownHostsFile "${knownHosts}"
`,
  );
  const all = "Host *\n  IdentitiesOnly yes\n  IdentityAgent none\n  GlobalKnownHostsFile /dev/null\n";
  await writeFile(config, aliases.join("") + all);
  const lines = hosts.map(({ address }, index) => {
    const group = groups[index] === undefined ? "" : `[${groups[index]}]\n`;
    return `${group}h${index + 1} slots=1 address=${address}\n`;
  });
  await writeFile(file, lines.join(""));
  deployment.set("TROUPE_SSH_CONFIG", config);
  return {
    deployment,
    hosts,
    file,
    async [Symbol.asyncDispose]() {
      await deployment.close({ unchecked: true });
      await Promise.all(hosts.map(async (host) => host[Symbol.asyncDispose]()));
    },
  };
}
