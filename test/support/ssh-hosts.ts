// Several hosts to reach by ssh, each with an address of its own, as one ssh config names them.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Deployment } from "./deployment.ts";
import { type SshHost, type SshHostOptions, startSshHost } from "./ssh-host.ts";
import { warmWorkerd } from "./warm-workerd.ts";

export interface SshHosts extends AsyncDisposable {
  readonly hosts: readonly SshHost[];
  /** Path of the ssh config that names them. */
  readonly config: string;
  /** A deployment that reaches them. */
  readonly deployment: Deployment;
  /** Path of a host file: a slot each, unless `slots` says more. */
  hostFile(slots?: number): Promise<string>;
  /** Path of a host file in which all are behind tunnels, below this machine. */
  tunnelFile(): Promise<string>;
  /** The path on a host of a job's folder. */
  jobFolder(host: SshHost, job: string): string;
}

/**
 * `each`: one host for each of these. They are called h1, h2 … at 127.0.0.1, 127.0.0.2 … `environment` is added to that of the commands. Hosts that
 * are not fresh have workerd already.
 */
export async function startSshHosts(
  each: readonly (SshHostOptions & { readonly isFresh?: boolean })[],
  environment: NodeJS.ProcessEnv = {},
): Promise<SshHosts> {
  const hosts = await Promise.all(
    each.map(async (options, index) =>
      startSshHost({ alias: `h${index + 1}`, address: `127.0.0.${index + 1}`, ...options }),
    ),
  );
  const folder = await mkdtemp(join(tmpdir(), "troupe-hosts-"));
  const config = join(folder, "ssh config");
  const parts = await Promise.all(hosts.map(async (host) => readFile(host.config, "utf8")));
  await writeFile(config, parts.join("\n"));
  const deployment = await Deployment.create({ ...environment, TROUPE_SSH_CONFIG: config });
  const warm = hosts.filter((_, index) => each[index]?.isFresh !== true);
  if (warm.length > 0)
    await warmWorkerd(
      join(deployment.home, ".troupe"),
      warm.map(({ home }) => join(home, ".troupe")),
    );
  return {
    hosts,
    config,
    deployment,
    hostFile: async (slots = 1) => {
      const lines = hosts.map(({ destination, address }) => `${destination} slots=${slots} address=${address}\n`);
      return deployment.write("hosts", lines.join(""));
    },
    tunnelFile: async () => {
      const lines = hosts.map(({ destination }) => `${destination} expose=tunnel\n`);
      return deployment.write("hosts", ["local slots=1\n", ...lines].join(""));
    },
    jobFolder: ({ home }, job) => join(home, ".troupe", "jobs", job),
    async [Symbol.asyncDispose]() {
      // The traces lie on the hosts: the tests look at them.
      await deployment.close({ unchecked: true });
      await Promise.all(hosts.map(async (host) => host[Symbol.asyncDispose]()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
