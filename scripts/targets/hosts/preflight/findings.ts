// Why a job cannot run on its hosts, as far as their facts tell: a sentence, and one that says what to do. Pure.
import type { HostFacts, Libc, Listener } from "./facts.ts";
import type { HostNeeds, WantedPort } from "./needs.ts";

export interface Host {
  readonly id: string;
  readonly facts: HostFacts;
  readonly needs: HostNeeds;
}

export interface Finding {
  readonly host: string;
  readonly message: string;
  readonly next: string;
}

type Words = readonly [message: string, next: string];
type Check = (host: Host) => readonly Words[];

const GLIBC = { major: 2, minor: 35 };
const NEW_GLIBC = "Use a distribution with glibc 2.35 or newer there, such as Debian 12 or Ubuntu 22.04.";
/** workerd in one piece, modules and configurations, and room for the first sessions. */
const FRESH_MB = 300;
const AGAIN_MB = 50;
const PROCESS_MB = 150;
const MAX_SKEW_MS = 20_000;

/** Debian's packages of programs whose names differ. */
const PACKAGES: Readonly<Record<string, string>> = {
  base64: "coreutils",
  dd: "coreutils",
  sha256sum: "coreutils",
  "ssh-keygen": "openssh-client",
  setsid: "util-linux",
};

const CHECKS: readonly Check[] = [
  function processor({ id, facts }) {
    if (facts.architecture !== undefined) return [];
    return [[`${id} has a processor of the kind ${facts.machine}.`, "Use a host with x86_64 or aarch64."]];
  },

  function libc({ id, facts }) {
    const wrong = wrongLibc(facts.libc);
    return wrong === undefined ? [] : [[`${id} ${wrong}, and workerd needs glibc 2.35 or newer.`, NEW_GLIBC]];
  },

  function loader({ id, facts }) {
    if (facts.missingLoader === undefined || facts.libc.kind === "musl" || facts.architecture === undefined) return [];
    return [
      [
        `${id} has no ${facts.missingLoader}, without which no program of another distribution runs.`,
        "Use a 64-bit Debian or Ubuntu there, or enable nix-ld on NixOS.",
      ],
    ];
  },

  function home({ id, facts }) {
    if (facts.unwritable !== undefined) {
      const next = "Make the account the owner of its home, mount it for writing, or free some space there.";
      return [[`~/.troupe cannot be written on ${id}: ${facts.unwritable}.`, next]];
    }
    if (!facts.isNoexec) return [];
    return [[`${id} runs no programs of ~/.troupe.`, "Mount its file system without noexec, or use another account."]];
  },

  function disk({ id, facts }) {
    const needed = (facts.workerds.length === 0 ? FRESH_MB : AGAIN_MB) + Math.ceil(facts.dataBytes / 1e6);
    if (facts.freeBytes === undefined || facts.freeBytes >= needed * 1e6) return [];
    const free = Math.floor(facts.freeBytes / 1e6);
    return [[`${id} has ${free} MB free where ~/.troupe is, and ${needed} MB are needed.`, "Free some there."]];
  },

  function memory({ id, facts, needs }) {
    const { freeMemoryBytes, processes } = facts;
    const running = processes.filter(({ job }) => job === needs.job).length;
    const more = Math.max(0, needs.processes - running, needs.trialProcesses);
    const needed = more * PROCESS_MB;
    if (freeMemoryBytes === undefined || freeMemoryBytes >= needed * 1e6) return [];
    const free = Math.floor(freeMemoryBytes / 1e6);
    return [
      [
        `${id} has ${free} MB of memory free, and ${more} more processes need about ${needed} MB.`,
        "End other programs there, or give the job more hosts.",
      ],
    ];
  },

  function ports({ id, facts, needs }) {
    const own = new Set(facts.processes.filter(({ job }) => job === needs.job).map(({ pid }) => pid));
    return needs.ports.flatMap((wanted): Words[] => {
      const other = facts.listeners.find(
        (listener) => isInTheWay(listener, wanted) && !(listener.pid !== undefined && own.has(listener.pid)),
      );
      if (other === undefined) return [];
      const holder = holderOf(other, facts);
      return [
        [
          `Port ${wanted.port} of ${id}, for ${wanted.who}, is taken by ${holder}.`,
          wanted.on === "loopback"
            ? "End that program, or give the job another port: port: in the job file."
            : "End that program, then deploy again.",
        ],
      ];
    });
  },

  function clock({ id, facts }) {
    const { clockAheadMs: ahead } = facts;
    if (Math.abs(ahead) <= MAX_SKEW_MS) return [];
    const side = ahead > 0 ? "ahead of" : "behind";
    return [
      [
        `The clock of ${id} is ${duration(Math.abs(ahead))} ${side} this machine's.`,
        "Set the wrong one, such as with: sudo timedatectl set-ntp true",
      ],
    ];
  },

  function programs({ id, facts: { missingPrograms } }) {
    if (missingPrograms.length === 0) return [];
    const packages = new Set(missingPrograms.map((program) => PACKAGES[program] ?? program));
    return [
      [
        `These programs are missing on ${id}: ${missingPrograms.join(", ")}.`,
        `Install them, such as with: sudo apt-get install ${[...packages].join(" ")}`,
      ],
    ];
  },
];

/** All of all hosts, in the order of the hosts. */
export function findingsOf(hosts: readonly Host[]): Finding[] {
  const own = hosts.flatMap((host) => wordsOn(host).map(([message, next]) => ({ host: host.id, message, next })));
  return [...own, ...sharedFolders(hosts)];
}

/** Where the kernel is another one, nothing else was asked. */
function wordsOn(host: Host): readonly Words[] {
  const { kernel } = host.facts;
  if (kernel !== "Linux")
    return [[`${host.id} runs ${kernel}, and workerd comes for Linux.`, "Use a host with Linux."]];
  return CHECKS.flatMap((check) => check(host));
}

function wrongLibc(libc: Libc): string | undefined {
  if (libc.kind === "musl") return "has musl as its libc";
  if (libc.kind === "unknown") return "does not tell which libc it has";
  const { major, minor } = libc;
  const isNew = major > GLIBC.major || (major === GLIBC.major && minor >= GLIBC.minor);
  return isNew ? undefined : `has glibc ${major}.${minor}`;
}

function isInTheWay({ port, isOnLoopback }: Listener, wanted: WantedPort): boolean {
  return port === wanted.port && (isOnLoopback || wanted.on === "all");
}

function holderOf({ pid, program }: Listener, { processes }: HostFacts): string {
  if (pid === undefined) return "a program of another account";
  const job = processes.find((process) => process.pid === pid)?.job;
  return job === undefined ? `${program} (process ${pid})` : `the job ${job} (process ${pid})`;
}

function sharedFolders(hosts: readonly Host[]): Finding[] {
  const first = new Map<string, string>();
  return hosts.flatMap(({ id, facts: { folder } }) => {
    if (folder === undefined) return [];
    const other = first.get(folder);
    if (other === undefined) {
      first.set(folder, id);
      return [];
    }
    return [
      {
        host: id,
        message: `${id} and ${other} have the same folder ~/.troupe, where their processes would mix.`,
        next: "Name only one of them, or use accounts with homes of their own.",
      },
    ];
  });
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return seconds < 120 ? `${seconds} seconds` : `${Math.round(seconds / 60).toLocaleString("en")} minutes`;
}
