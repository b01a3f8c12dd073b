// Each fact that is in the way of a job becomes one sentence and one that says what to do.
import { describe, expect, it } from "vitest";

import type { HostFacts } from "../../../../../scripts/targets/hosts/preflight/facts.ts";
import { findingsOf } from "../../../../../scripts/targets/hosts/preflight/findings.ts";
import { type HostNeeds, needsAt } from "../../../../../scripts/targets/hosts/preflight/needs.ts";
import { planJob } from "#jobs/plan/plan.ts";

import { jobWith } from "../../../jobs/support.ts";

const GOOD: HostFacts = {
  kernel: "Linux",
  machine: "x86_64",
  architecture: "x64",
  libc: { kind: "glibc", major: 2, minor: 35 },
  missingLoader: undefined,
  unwritable: undefined,
  isNoexec: false,
  freeBytes: 300e6,
  folder: "boot 1 2",
  dataBytes: 0,
  freeMemoryBytes: 450e6,
  clockAheadMs: 0,
  missingPrograms: [],
  listeners: [],
  processes: [],
  workerds: [],
  hasUserServices: false,
  lingers: false,
};
const NEEDS: HostNeeds = {
  job: "x",
  processes: 3,
  trialProcesses: 0,
  ports: [
    { port: 9000, who: "the agent a", on: "loopback" },
    { port: 9443, who: "the agent a", on: "all" },
  ],
};

const found = (facts: Partial<HostFacts>, needs: HostNeeds = NEEDS) =>
  findingsOf([{ id: "h", facts: { ...GOOD, ...facts }, needs }]).map(({ message, next }) => `${message} ${next}`);

const DEBIAN = "Use a distribution with glibc 2.35 or newer there, such as Debian 12 or Ubuntu 22.04.";

it("a host that has all of it has no finding", () => {
  expect(found({})).toEqual([]);
});

it.each<[string, Partial<HostFacts>, string]>([
  ["another system", { kernel: "Darwin" }, "h runs Darwin, and workerd comes for Linux. Use a host with Linux."],
  [
    "another processor",
    { machine: "riscv64", architecture: undefined },
    "h has a processor of the kind riscv64. Use a host with x86_64 or aarch64.",
  ],
  [
    "an old glibc",
    { libc: { kind: "glibc", major: 2, minor: 34 } },
    `h has glibc 2.34, and workerd needs glibc 2.35 or newer. ${DEBIAN}`,
  ],
  ["musl", { libc: { kind: "musl" } }, `h has musl as its libc, and workerd needs glibc 2.35 or newer. ${DEBIAN}`],
  [
    "an unknown libc",
    { libc: { kind: "unknown" } },
    `h does not tell which libc it has, and workerd needs glibc 2.35 or newer. ${DEBIAN}`,
  ],
  [
    "no loader",
    { missingLoader: "/lib64/ld-linux-x86-64.so.2" },
    "h has no /lib64/ld-linux-x86-64.so.2, without which no program of another distribution runs. Use a 64-bit Debian or Ubuntu there, or enable nix-ld on NixOS.",
  ],
  [
    "a read-only home",
    { unwritable: "mkdir: cannot create directory: Read-only file system" },
    "~/.troupe cannot be written on h: mkdir: cannot create directory: Read-only file system. Make the account the owner of its home, mount it for writing, or free some space there.",
  ],
  [
    "a home that runs no programs",
    { isNoexec: true },
    "h runs no programs of ~/.troupe. Mount its file system without noexec, or use another account.",
  ],
  [
    "a full disk",
    { freeBytes: 299_900_000 },
    "h has 299 MB free where ~/.troupe is, and 300 MB are needed. Free some there.",
  ],
  [
    "a full disk with a workerd",
    { freeBytes: 49e6, workerds: ["workerd-0"] },
    "h has 49 MB free where ~/.troupe is, and 50 MB are needed. Free some there.",
  ],
  [
    "less space than a copy of the data takes",
    { freeBytes: 149e6, workerds: ["workerd-0"], dataBytes: 100e6 },
    "h has 149 MB free where ~/.troupe is, and 150 MB are needed. Free some there.",
  ],
  [
    "little memory",
    { freeMemoryBytes: 449_900_000 },
    "h has 449 MB of memory free, and 3 more processes need about 450 MB. End other programs there, or give the job more hosts.",
  ],
  [
    "a clock 10 minutes ahead",
    { clockAheadMs: 600_000 },
    "The clock of h is 10 minutes ahead of this machine's. Set the wrong one, such as with: sudo timedatectl set-ntp true",
  ],
  [
    "a clock 21 seconds behind",
    { clockAheadMs: -21_000 },
    "The clock of h is 21 seconds behind this machine's. Set the wrong one, such as with: sudo timedatectl set-ntp true",
  ],
  [
    "missing programs",
    { missingPrograms: ["gzip", "ssh-keygen"] },
    "These programs are missing on h: gzip, ssh-keygen. Install them, such as with: sudo apt-get install gzip openssh-client",
  ],
])("%s is found", (_, facts, sentence) => {
  expect(found(facts)).toEqual([sentence]);
});

it.each<[string, Partial<HostFacts>]>([
  ["a newer libc", { libc: { kind: "glibc", major: 3, minor: 0 } }],
  ["a small disk with a workerd", { freeBytes: 51e6, workerds: ["workerd-0"] }],
  ["a clock 20 seconds ahead", { clockAheadMs: 20_000 }],
  ["a host that does not tell its memory", { freeMemoryBytes: undefined }],
  ["memory that the job's own processes give back", { freeMemoryBytes: 1e6, processes: [1, 2, 3].map(own) }],
])("%s is no finding", (_, facts) => {
  expect(found(facts)).toEqual([]);
});

function own(pid: number) {
  return { pid, job: "x" };
}

describe("a port", () => {
  const listener = { port: 9000, isOnLoopback: true, pid: 7, program: "nginx" };

  it.each([
    [{}, "nginx (process 7)"],
    [{ pid: undefined, program: "" }, "a program of another account"],
    [{ pid: 8, program: "workerd" }, "the job other (process 8)"],
  ])("that another program has is found", (more, who) => {
    const facts = { listeners: [{ ...listener, ...more }], processes: [{ pid: 8, job: "other" }] };
    expect(found(facts)).toEqual([
      `Port 9000 of h, for the agent a, is taken by ${who}. End that program, or give the job another port: port: in the job file.`,
    ]);
  });

  it("on all addresses is in the way of a listener on any of them", () => {
    const listeners = [{ ...listener, port: 9443, isOnLoopback: false }];
    expect(found({ listeners })).toEqual([
      "Port 9443 of h, for the agent a, is taken by nginx (process 7). End that program, then deploy again.",
    ]);
  });

  it("of the job's own processes is free", () => {
    expect(found({ listeners: [listener], processes: [own(7)] })).toEqual([]);
  });

  it("on the loopback is free where another program has it on another address", () => {
    expect(found({ listeners: [{ ...listener, isOnLoopback: false }] })).toEqual([]);
  });
});

it("two hosts that share a folder are found, beside what each of them lacks", () => {
  const hosts = ["a", "b"].map((id) => ({ id, needs: NEEDS, facts: { ...GOOD, missingPrograms: ["gzip"] } }));
  expect(findingsOf(hosts).map(({ message }) => message)).toEqual([
    "These programs are missing on a: gzip.",
    "These programs are missing on b: gzip.",
    "b and a have the same folder ~/.troupe, where their processes would mix.",
  ]);
});

describe("needs of a place", () => {
  const job = jobWith("{ type: hub-spoke, hub: a, spokes: [b, c, d] }", "deployment: { target: ssh://h1 }");
  const plan = planJob(job, {
    hasAnthropicKey: false,
    ports: { a: 1, b: 2, c: 3, d: 4 },
    tlsPorts: { a: 5, b: 6, c: 7, d: 8, "control-plane": 9 },
    objects: {},
  });

  const wanted = { plan, controlPlanePort: 10 };

  it("are its agents' ports, the control plane's, and a process for each program", () => {
    expect(needsAt([wanted], "h1")).toMatchObject({ job: "x", processes: 3 });
    expect(needsAt([wanted], "h1").ports.map(({ port, on }) => [port, on])).toEqual([
      [1, "loopback"],
      [2, "loopback"],
      [3, "loopback"],
      [4, "loopback"],
      [10, "loopback"],
    ]);
  });

  it("of a trial are processes beside those that run, and ports of its own", () => {
    const needs = needsAt([wanted, { plan, controlPlanePort: 11, isTrial: true }], "h1");
    expect(needs).toMatchObject({ processes: 3, trialProcesses: 3 });
    expect(needs.ports.map(({ port }) => port)).toEqual([1, 2, 3, 4, 10, 1, 2, 3, 4, 11]);
    expect(found({ freeMemoryBytes: 1e6, processes: [1, 2, 3].map(own) }, { ...needs, ports: [] })).toEqual([
      "h has 1 MB of memory free, and 3 more processes need about 450 MB. End other programs there, or give the job more hosts.",
    ]);
  });

  it("are nothing where nothing of the plan is", () => {
    expect(needsAt([wanted], "h2")).toEqual({ job: "x", processes: 0, trialProcesses: 0, ports: [] });
  });
});
