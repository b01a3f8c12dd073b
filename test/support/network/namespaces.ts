// A place for namespaces of a network: a program runs in there with all that it starts, and nothing of it stays, however it ends.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";

const INSIDE = "TROUPE_TEST_NETWORK";

/** Whether this program runs in there. */
export function isInside(): boolean {
  return process.env[INSIDE] !== undefined;
}

/** What is missing here, in words; empty where nothing is. */
export function missing(): string[] {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return ["Linux, and root: it makes network namespaces"];
  const works = (program: string, ...args: readonly string[]) => spawnSync(program, args).status === 0;
  return [
    ...(works("ip", "-V") && works("tc", "-V") && works("bridge", "-V")
      ? []
      : ["ip, tc and bridge (Debian: apt-get install iproute2)"]),
    ...(existsSync("/usr/sbin/sshd") ? [] : ["sshd (Debian: apt-get install openssh-server)"]),
    ...(works("unshare", "-nmp", "-f", "true") ? [] : ["leave to make namespaces (a container needs --privileged)"]),
    ...(existsSync("/dev/net/tun") ? [] : ["/dev/net/tun: links that delay are made of it"]),
    ...(works("perl", "-MTime::HiRes", "-e1") ? [] : ["perl with Time::HiRes (Debian: apt-get install perl)"]),
  ];
}

/**
 * Runs a program of Node in a network, a process tree and a folder of temporary files of its own, and resolves to its exit code. When
 * this process ends, whatever ends it, everything in there does, too.
 */
export async function runInside(args: readonly string[]): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "troupe-network-"));
  const child = spawn(
    "unshare",
    [
      "-n",
      "-m",
      "-p",
      "-f",
      "--mount-proc",
      "--kill-child",
      "sh",
      "-c",
      INIT,
      "init",
      folder,
      process.execPath,
      ...args,
    ],
    {
      // Ctrl-C must not end what cleans up.
      detached: true,
      stdio: ["pipe", "inherit", "inherit"],
      env: { ...process.env, [INSIDE]: folder, TMPDIR: folder },
    },
  );
  const end = () => child.stdin.end();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end);
  const [code] = await once(child, "exit");
  return typeof code === "number" ? code : 1;
}

/** The first process in there: when its stdin ends, it ends all others. */
const INIT = `
folder=$1
shift
mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && ip link set lo up || exit
exec 3<&0
"$@" </dev/null 3<&- &
main=$!
{ read -r _ <&3; kill -9 -1; } 2>/dev/null &
exec 3<&-
wait "$main"
code=$?
kill -9 -1 2>/dev/null
wait
rm -rf "$folder"
exit "$code"
`;
