// What facts.sh prints on a host, read. Pure.
import * as z from "zod";

export type Architecture = "x64" | "arm64";

export type Libc =
  | { readonly kind: "glibc"; readonly major: number; readonly minor: number }
  | { readonly kind: "musl" }
  | { readonly kind: "unknown" };

/** A program that listens on a port that was asked for. */
export interface Listener {
  readonly port: number;
  /** Whether it is in the way of one that listens on 127.0.0.1. */
  readonly isOnLoopback: boolean;
  /** Undefined where another account runs it. */
  readonly pid: number | undefined;
  readonly program: string;
}

export interface HostFacts {
  /** As `uname -s` and `uname -m` say. */
  readonly kernel: string;
  readonly machine: string;
  /** Undefined where there is no workerd for it. */
  readonly architecture: Architecture | undefined;
  readonly libc: Libc;
  /** The dynamic loader of glibc, where it is missing. */
  readonly missingLoader: string | undefined;
  /** Why `~/.troupe` cannot be written; undefined where it can. */
  readonly unwritable: string | undefined;
  /** Its file system runs no programs. */
  readonly isNoexec: boolean;
  /** Where `~/.troupe` is; undefined where the host does not tell. */
  readonly freeBytes: number | undefined;
  /** Names the folder `~/.troupe`: equal where two hosts share it. Undefined where the host does not tell. */
  readonly folder: string | undefined;
  /** What the job's data take there, which each release copies. */
  readonly dataBytes: number;
  /** That programs may still take. */
  readonly freeMemoryBytes: number | undefined;
  /** How far the host's clock is ahead of this machine's, at least; negative where it is behind. */
  readonly clockAheadMs: number;
  readonly missingPrograms: readonly string[];
  readonly listeners: readonly Listener[];
  /** Processes of Troupe's jobs that run there. */
  readonly processes: readonly { readonly pid: number; readonly job: string }[];
  /** Binaries in `~/.troupe/cache`. */
  readonly workerds: readonly string[];
  /** Whether systemd manages services of the account, and whether they stay without a login. */
  readonly hasUserServices: boolean;
  readonly lingers: boolean;
}

/** When the host was asked and had answered, by the clock of this machine. */
export interface Asked {
  readonly fromMs: number;
  readonly toMs: number;
}

const ARCHITECTURES: ReadonlyMap<string, Architecture> = new Map([
  ["x86_64", "x64"],
  ["aarch64", "arm64"],
]);

/** Throws ZodError where the text is none of facts.sh. */
export function readFacts(text: string, asked: Asked): HostFacts {
  const lines = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const at = line.indexOf("=");
    if (at > 0) lines.set(line.slice(0, at), [...(lines.get(line.slice(0, at)) ?? []), line.slice(at + 1)]);
  }
  const all = (key: string) => lines.get(key) ?? [];
  const one = (key: string) => all(key)[0] || undefined;
  const machine = one("machine") ?? "";
  const disk = diskFrom(one("disk") ?? "");
  return {
    kernel: z.string().parse(one("kernel")),
    machine,
    architecture: ARCHITECTURES.get(machine),
    libc: libcFrom(one("libc") ?? ""),
    missingLoader: one("noloader"),
    unwritable: one("unwritable"),
    isNoexec: one("noexec") !== undefined,
    freeBytes: disk?.freeBytes,
    dataBytes: bytes(one("data")) ?? 0,
    folder: folderFrom(one("folder") ?? "", disk?.source ?? ""),
    freeMemoryBytes: bytes(one("memory")),
    clockAheadMs: clockAhead(z.coerce.number().int().parse(one("clock")) * 1_000, asked),
    missingPrograms: all("missing"),
    listeners: listenersFrom(all("listener"), all("holder")),
    processes: all("process").map((line) => {
      const [pid = "", job = ""] = line.split(" ");
      return { pid: Number(pid), job };
    }),
    workerds: all("workerd"),
    hasUserServices: one("userservices") !== undefined,
    lingers: one("linger") !== undefined,
  };
}

/** `glibc 2.41` of getconf, or the first line of `ldd --version`. */
function libcFrom(text: string): Libc {
  if (/musl/i.test(text)) return { kind: "musl" };
  const found = /^(?:glibc|ldd .*) (\d+)\.(\d+)/i.exec(text);
  if (found === null) return { kind: "unknown" };
  return { kind: "glibc", major: Number(found[1]), minor: Number(found[2]) };
}

/** The last line of `df -Pk`: source, three numbers, a percentage, and the place. The source may hold spaces. */
function diskFrom(line: string): { readonly source: string; readonly freeBytes: number } | undefined {
  const words = line.trim().split(/\s+/, MAX_WORDS);
  const percent = words.findIndex((word, index) => index > 3 && word.endsWith("%"));
  const free = Number(words[percent - 1]);
  if (percent < 0 || !Number.isInteger(free)) return undefined;
  return { source: words.slice(0, percent - 3).join(" "), freeBytes: free * 1_024 };
}

const MAX_WORDS = 100;

/** On a file system of the network, its source and the inode name a folder everywhere; else they do so while a machine runs. */
function folderFrom(line: string, source: string): string | undefined {
  const [boot = "", device = "", inode = ""] = line.split(" ");
  if (inode === "") return undefined;
  return /:\/|^\/\//.test(source) ? `${source} ${inode}` : `${boot} ${device} ${inode}`;
}

/** The host told its second at some moment between; what lies nearest to no difference counts. */
function clockAhead(hostMs: number, { fromMs, toMs }: Asked): number {
  const [least, most] = [hostMs - toMs, hostMs + 1_000 - fromMs];
  if (least > 0) return least;
  return most < 0 ? most : 0;
}

function bytes(kilobytes: string | undefined): number | undefined {
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024;
}

/** Listeners: `ADDRESS:PORT INODE`, as /proc/net/tcp writes them. Holders: `INODE PID PROGRAM`. */
function listenersFrom(listeners: readonly string[], holders: readonly string[]): Listener[] {
  const byInode = new Map<string, { readonly pid: number; readonly program: string }>();
  for (const line of holders) {
    const [inode = "", pid = "", ...program] = line.split(" ");
    if (!byInode.has(inode)) byInode.set(inode, { pid: Number(pid), program: program.join(" ") });
  }
  return listeners.map((line) => {
    const [address = "", inode = ""] = line.split(" ");
    const [host = "", port = ""] = address.split(":");
    const holder = byInode.get(inode);
    return {
      port: Number.parseInt(port, 16),
      isOnLoopback: ON_LOOPBACK.test(host),
      pid: holder?.pid,
      program: holder?.program ?? "",
    };
  });
}

/** 127.0.0.1, and all addresses, of IPv4 and of IPv6 (which takes IPv4, too, as a rule). Each four bytes are turned round. */
const ON_LOOPBACK = /^(?:0100007F|0{8}|0{32}|0{16}FFFF00000100007F)$/;
