// A host to reach by ssh: a real sshd of this user, with keys, port, configuration and home folder of its own.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const exec = promisify(execFile);

/** Undefined where there is none. */
const SSHD = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd", "/opt/homebrew/sbin/sshd"].find(existsSync);

/** For `describe.skipIf`: says once, loudly, what is skipped. */
export function noSshd(): boolean {
  if (SSHD !== undefined) return false;
  process.stderr.write(
    "SKIPPED: tests of SSH hosts, because sshd is missing. Debian: sudo apt-get install openssh-server\n",
  );
  return true;
}

/** The same for tests that need no more than the client. */
export function noSsh(): boolean {
  if ((process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, "ssh")))) return false;
  process.stderr.write("SKIPPED: tests of ssh, because it is missing. Debian: sudo apt-get install openssh-client\n");
  return true;
}

export interface SshHostOptions {
  /** What the ssh config calls it; `test-host` without it. */
  readonly alias?: string;
  /** Where sshd listens. */
  readonly address?: string;
  /** Any free one without it. */
  readonly port?: number;
  /** The words before sshd's own that start it somewhere else, such as in a namespace. */
  readonly inside?: readonly string[];
  /** Login shell of the account, such as /usr/bin/fish. Without it, /bin/sh. */
  readonly shell?: string;
  /** A line that the login shell prints on stdout and stderr before it does anything. */
  readonly banner?: string;
  /** sshd would take a password, too. */
  readonly passwords?: boolean;
  /** Name of the home folder. */
  readonly homeName?: string;
  /** The home folder is a symlink to "real home" beside it. */
  readonly homeIsLink?: boolean;
  /** A folder of programs that stand before all others. */
  readonly programs?: string;
  /** Umask of the session. */
  readonly umask?: string;
  /** sshd makes no sockets for clients. */
  readonly withoutSockets?: boolean;
}

export interface SshHost extends AsyncDisposable {
  /** An alias that only `config` knows. */
  readonly destination: string;
  /** Path of the ssh config file. */
  readonly config: string;
  /** The home folder of the session. */
  readonly home: string;
  /** Where all files of the host are. */
  readonly folder: string;
  readonly address: string;
  readonly port: number;
  readonly knownHosts: string;
  /** Of the listening sshd. */
  readonly pid: number;
  /** The sshd processes of connections. */
  connections(): Promise<number[]>;
  /** Ends sshd and all its connections, as a reboot does. */
  stop(): Promise<void>;
  /** Listens again at the same port. */
  start(): Promise<void>;
}

export async function startSshHost(options: SshHostOptions = {}): Promise<SshHost> {
  const {
    alias = "test-host",
    address = "127.0.0.1",
    shell = "/bin/sh",
    banner,
    passwords = false,
    homeName = "home",
    umask,
    inside = [],
  } = options;
  const sshd = SSHD;
  if (sshd === undefined) throw new Error("sshd is missing");
  const folder = await mkdtemp(join(tmpdir(), "troupe-host-"));
  const home = join(folder, homeName);
  if (options.homeIsLink === true) {
    await mkdir(join(folder, "real home"));
    await symlink(join(folder, "real home"), home);
  } else await mkdir(home);
  for (const name of ["host_key", "user_key"]) {
    await exec("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", join(folder, name)]);
  }
  const port = options.port ?? (await freePort(address));
  const hostKey = await readFile(join(folder, "host_key.pub"), "utf8");
  const at = port === 22 ? address : `[${address}]:${port}`;
  const knownHosts = join(folder, "known_hosts");
  await writeFile(knownHosts, `${at} ${hostKey}`);
  await writeFile(join(folder, "authorized_keys"), await readFile(join(folder, "user_key.pub")), { mode: 0o600 });

  // sshd starts the account's shell with this command; it goes on as another login shell would begin.
  const login = join(folder, "login");
  await writeFile(
    login,
    [
      "#!/bin/sh",
      ...(options.programs === undefined ? [] : [`PATH='${options.programs}':$PATH`]),
      ...(umask === undefined ? [] : [`umask ${umask}`]),
      ...(banner === undefined ? [] : [`echo '${banner}'`, `echo '${banner}' >&2`]),
      'cd "$HOME" || exit',
      `exec ${shell} -c "$SSH_ORIGINAL_COMMAND"`,
      "",
    ].join("\n"),
  );
  await chmod(login, 0o755);

  const sshdFile = join(folder, "sshd_config");
  await writeFile(
    sshdFile,
    `
Port ${port}
ListenAddress ${address}
HostKey "${join(folder, "host_key")}"
AuthorizedKeysFile "${join(folder, "authorized_keys")}"
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication ${passwords ? "yes" : "no"}
KbdInteractiveAuthentication no
PermitRootLogin yes
AllowTcpForwarding yes
AllowStreamLocalForwarding ${options.withoutSockets === true ? "no" : "yes"}
PermitUserEnvironment no
LogLevel INFO
SetEnv "HOME=${home}" SHELL=${shell}
ForceCommand ${login}
`,
  );
  const config = join(folder, "ssh_config");
  await writeFile(
    config,
    `
Host ${alias}
  HostName ${address}
  Port ${port}
Host ${options.alias ?? "*"}
  User ${userInfo().username}
  IdentityFile "${join(folder, "user_key")}"
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile "${knownHosts}"
  GlobalKnownHostsFile /dev/null
`,
  );

  // As root, sshd wants its folder for separated privileges.
  if (process.getuid?.() === 0) await mkdir("/run/sshd", { recursive: true, mode: 0o755 });
  let server: { readonly pid: number; readonly guard: ChildProcess } | undefined;

  async function start(): Promise<void> {
    const guard = spawn("/bin/sh", ["-c", GUARD, "sshd", ...inside, sshd ?? "", "-D", "-e", "-f", sshdFile], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    const { promise: listens, resolve, reject } = Promise.withResolvers<void>();
    let pid = "";
    let said = "";
    guard.stdout.setEncoding("utf8").on("data", (text: string) => (pid += text));
    guard.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes("Server listening on")) resolve();
    });
    guard.once("close", () => reject(new Error(`sshd ended: ${said}`)));
    await listens;
    server = { pid: Number(pid), guard };
  }

  async function connections(): Promise<number[]> {
    return server === undefined ? [] : descendants(server.pid, "sshd");
  }

  async function stop(): Promise<void> {
    if (server === undefined) return;
    const { pid, guard } = server;
    const ended = guard.exitCode === null ? once(guard, "exit") : undefined;
    // First sshd, so that no end of a script is told any more.
    const all = [pid, ...(await descendants(pid, "sshd")), ...(await descendants(pid))];
    server = undefined;
    for (const one of new Set(all)) kill(one);
    await ended;
  }

  await start();
  return {
    destination: alias,
    config,
    home,
    folder,
    address,
    port,
    knownHosts,
    get pid() {
      return server?.pid ?? -1;
    },
    connections,
    start,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Prints sshd's pid, and ends sshd when stdin ends: a killed test leaves none. */
const GUARD = `
exec 3<&0
"$@" </dev/null 3<&- &
sshd=$!
echo "$sshd"
{ read -r _ <&3; kill "$sshd"; } >/dev/null 2>&1 &
watch=$!
exec 3<&-
wait "$sshd"
kill "$watch" 2>/dev/null
`;

/** All processes below this one, children first. `named`: only those of this program. */
export async function descendants(pid: number, named?: string): Promise<number[]> {
  const { stdout } = await exec("ps", ["-A", "-o", "pid=,ppid=,comm="]);
  const rows = [...stdout.matchAll(/^ *(\d+) +(\d+) +(.*)$/gm)].map(([, child, parent, name = ""]) => ({
    child: Number(child),
    parent: Number(parent),
    isMeant: named === undefined || name.startsWith(named),
  }));
  const below = (above: number): number[] =>
    rows.flatMap(({ child, parent, isMeant }) =>
      parent === above ? [...below(child), ...(isMeant ? [child] : [])] : [],
    );
  return below(pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

async function freePort(address: string): Promise<number> {
  const server = createServer().listen(0, address);
  await once(server, "listening");
  const found = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (found === null || typeof found === "string") throw new Error("No port");
  return found.port;
}
