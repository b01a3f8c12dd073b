// Hosts as network namespaces: an address and a cable each, which ends at a bridge where this machine is, too. Cables can be cut, and,
// where wanted, be long, lossy and narrow.
import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { promisify } from "node:util";

import { isInside } from "./namespaces.ts";

const exec = promisify(execFile);
const BRIDGE = "troupe0";
const LINK = join(import.meta.dirname, "link.pl");
/** What this machine is called by the hosts. */
const OWN = 254;

export interface Cable {
  /** Milliseconds that the way there and back takes longer. */
  readonly roundTripMs?: number;
  /** Frames in a hundred that are lost, each way. */
  readonly lossPercent?: number;
}

export class Network {
  readonly #links = new Map<string, ChildProcessByStdio<Writable, Readable, null>>();
  readonly #names: string[] = [];

  /** Only where `isInside`, and one at a time. */
  static async create(): Promise<Network> {
    if (!isInside()) throw new Error("A network needs namespaces of its own: npm run test:hosts");
    await ip("link", "add", BRIDGE, "address", mac(OWN), "type", "bridge", "stp_state", "0", "forward_delay", "0");
    await ip("addr", "add", `${address(OWN)}/24`, "dev", BRIDGE);
    await ip("link", "set", BRIDGE, "up");
    return new Network();
  }

  /** The address of this machine, for hosts. */
  get own(): string {
    return address(OWN);
  }

  /** Adds a host, or one that has lost its power, and resolves to its address. `shaped`: its cable can be shaped, which costs time. */
  async add(
    name: string,
    { shaped = false, mbits }: { readonly shaped?: boolean; readonly mbits?: number } = {},
  ): Promise<string> {
    if (!this.#names.includes(name)) this.#names.push(name);
    const n = this.#names.indexOf(name) + 1;
    await ip("netns", "add", name);
    if (shaped) await this.#link(name);
    else await ip("link", "add", name, "type", "veth", "peer", "name", far(name));
    await ip("link", "set", name, "master", BRIDGE, "up");
    await ip("link", "set", far(name), "netns", name, "name", "eth0", "address", mac(n));
    for (const rest of [
      ["link", "set", "lo", "up"],
      ["addr", "add", `${address(n)}/24`, "dev", "eth0"],
      ["link", "set", "eth0", "up"],
    ])
      await ip("-n", name, ...rest);
    if (mbits !== undefined) {
      const tbf = ["root", "tbf", "rate", `${mbits}mbit`, "burst", "64kb", "latency", "100ms"];
      await exec("tc", ["qdisc", "add", "dev", name, ...tbf]);
      await exec("tc", ["-n", name, "qdisc", "add", "dev", "eth0", ...tbf]);
    }
    await this.#introduce();
    return address(n);
  }

  /** Nobody says which host is gone: a wide network's routers are silent, too. */
  async #introduce(): Promise<void> {
    const all = [...this.#names.map((name, index) => ({ name, n: index + 1 })), { name: undefined, n: OWN }];
    for (const { name } of all) {
      for (const { n } of all.filter((other) => other.name !== name)) {
        const own = name === undefined ? [] : ["-n", name];
        const dev = name === undefined ? BRIDGE : "eth0";
        await ip(...own, "neigh", "replace", address(n), "lladdr", mac(n), "dev", dev, "nud", "permanent");
      }
    }
  }

  async #link(name: string): Promise<void> {
    const child = spawn("perl", [LINK, name, far(name)], { stdio: ["pipe", "pipe", "inherit"] });
    this.#links.set(name, child);
    await once(child.stdout, "data");
  }

  /** Changes the cable of a host that was added as `shaped`. */
  async shape(name: string, { roundTripMs = 0, lossPercent = 0 }: Cable): Promise<void> {
    const link = this.#links.get(name);
    if (link === undefined) throw new Error(`The cable of ${name} is not shaped`);
    link.stdin.write(`${roundTripMs / 2} ${lossPercent}\n`);
    await once(link.stdout, "data");
  }

  /** Nothing passes between these hosts any more, nor to any other of those that were cut so; this machine reaches all. */
  async part(...names: readonly string[]): Promise<void> {
    for (const name of names) await port(name, "isolated", "on");
  }

  /** Nothing passes to this host nor from it. Nobody is told. */
  async cut(name: string): Promise<void> {
    await port(name, "state", "0");
  }

  /** Nothing passes from this machine to the hosts any more, which reach each other. */
  async leave(): Promise<void> {
    await exec("tc", ["qdisc", "add", "dev", BRIDGE, "root", "pfifo", "limit", "0"]);
  }

  /** Undoes `leave`. */
  async comeBack(): Promise<void> {
    await exec("tc", ["qdisc", "delete", "dev", BRIDGE, "root"]);
  }

  /** Undoes `part` and `cut`. */
  async heal(...names: readonly string[]): Promise<void> {
    for (const name of names) await port(name, "isolated", "off", "state", "3");
  }

  /** All processes of a host. */
  async processes(name: string): Promise<number[]> {
    const { stdout } = await exec("ip", ["netns", "pids", name]);
    return stdout.split("\n").filter(Boolean).map(Number);
  }

  /** Ends all that a host runs, and forgets its connections: nobody is told. */
  async losePower(name: string): Promise<void> {
    if (this.#links.has(name)) throw new Error(`The cable of ${name} is shaped`);
    await this.cut(name);
    await this.signal(name, "SIGKILL");
    // The namespace itself lives on as long as connections that wait for an answer.
    await ip("link", "delete", name);
    await ip("netns", "delete", name);
  }

  /** Ends what the hosts run. */
  async close(): Promise<void> {
    for (const name of this.#names) {
      await this.signal(name, "SIGKILL");
      await ip("netns", "delete", name);
    }
    for (const link of this.#links.values()) {
      const over = once(link, "exit");
      link.stdin.end();
      await over;
    }
    await ip("link", "delete", BRIDGE);
  }

  /** Bytes that a host has received. */
  async received(name: string): Promise<number> {
    const { stdout } = await exec("nsenter", [...onHost(name).slice(1), "cat", "/proc/net/dev"]);
    return Number(/eth0: *(\d+)/.exec(stdout)?.[1]);
  }

  /** Sends a signal to all processes of a host; SIGKILL until there are none. */
  async signal(name: string, signal: "SIGKILL" | "SIGSTOP" | "SIGCONT"): Promise<void> {
    for (let all = await this.processes(name); all.length > 0; all = await this.processes(name)) {
      for (const pid of all) {
        try {
          process.kill(pid, signal);
        } catch {
          // It has ended by itself.
        }
      }
      if (signal !== "SIGKILL") return;
    }
  }
}

/** What runs a program on a host. */
export function onHost(name: string): readonly string[] {
  return ["nsenter", `--net=/run/netns/${name}`, "--"];
}

function address(n: number): string {
  return `10.77.0.${n}`;
}

function mac(n: number): string {
  return `02:00:00:00:00:${n.toString(16).padStart(2, "0")}`;
}

/** The end of a cable at its host, until it is there. */
function far(name: string): string {
  return `${name}-far`;
}

async function ip(...args: readonly string[]): Promise<void> {
  await exec("ip", args);
}

/** Changes the bridge's end of a cable. `ip` takes no state of 0. */
async function port(name: string, ...change: readonly string[]): Promise<void> {
  await exec("bridge", ["link", "set", "dev", name, ...change]);
}
