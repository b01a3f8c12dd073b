// Counts what processes ask of the disk, with strace. That slows them, so nothing is timed meanwhile.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Measured } from "./closed-loop.ts";

export interface DiskCalls {
  /** fsync and fdatasync. */
  readonly syncs: number;
  /** pwrite64. */
  readonly writes: number;
  readonly writtenBytes: number;
  /** By pread64. */
  readonly readBytes: number;
}

/** workerd evicts an object that was idle for so long. */
const IDLE_SECONDS = 10;
/** So long after the last answer, all objects are evicted. */
export const EVICTED_MS = 13_000;
const SYSCALLS = ["fsync", "fdatasync", "pwrite64", "pread64"];
/** A call that has returned, in one line or in the second of two. */
const RETURNED = new RegExp(`^\\d+ +(?:<\\.\\.\\. )?(${SYSCALLS.join("|")})\\b.*= (\\d+)$`, "gm");

export class DiskTrace implements AsyncDisposable {
  readonly #strace: ChildProcess;
  readonly #folder: string;

  private constructor(strace: ChildProcess, folder: string) {
    this.#strace = strace;
    this.#folder = folder;
  }

  /** Follows all threads of a process. Where strace is missing or may not, says so aloud and resolves to undefined. */
  static async attach(pid: number): Promise<DiskTrace | undefined> {
    const folder = await mkdtemp(join(tmpdir(), "troupe-strace-"));
    const args = ["-f", "-s", "0", "-e", `trace=${SYSCALLS.join(",")}`, "-e", "signal=none"];
    const strace = spawn("strace", [...args, "-o", join(folder, "calls"), "-p", String(pid)], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const trace = new DiskTrace(strace, folder);
    try {
      await attached(strace);
      return trace;
    } catch (error) {
      console.log(`\nNOT MEASURED: fsyncs, writes and reads. strace says: ${String(error)}`);
      await trace[Symbol.asyncDispose]();
      return undefined;
    }
  }

  /** Since it was attached. */
  async calls(): Promise<DiskCalls> {
    const sum = { syncs: 0, writes: 0, writtenBytes: 0, readBytes: 0 };
    for (const [, call, result] of (await readFile(join(this.#folder, "calls"), "utf8")).matchAll(RETURNED)) {
      if (call === "pread64") sum.readBytes += Number(result);
      else if (call === "pwrite64") {
        sum.writes++;
        sum.writtenBytes += Number(result);
      } else sum.syncs++;
    }
    return sum;
  }

  /** The process goes on without strace. */
  async [Symbol.asyncDispose](): Promise<void> {
    const isRunning =
      this.#strace.pid !== undefined && this.#strace.exitCode === null && this.#strace.signalCode === null;
    if (isRunning && this.#strace.kill()) await once(this.#strace, "exit");
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Calls between two looks, for one of so many requests. */
export function callsOfOne(before: DiskCalls, after: DiskCalls, requests: number): DiskCalls {
  const of = (figure: keyof DiskCalls) => (after[figure] - before[figure]) / requests;
  return { syncs: of("syncs"), writes: of("writes"), writtenBytes: of("writtenBytes"), readBytes: of("readBytes") };
}

/** Says aloud when a measurement was so slow that what the first objects cost at their end counts as cost of an answer. */
export function noteEvictions(what: string, { requests, perSecond }: Pick<Measured, "requests" | "perSecond">): void {
  const seconds = requests / perSecond;
  if (seconds < IDLE_SECONDS) return;
  console.log(
    `\n${what}: under strace it took ${seconds.toFixed(0)} s. Its fsyncs until the answer hold some of evictions.`,
  );
}

function attached(strace: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    strace.once("error", reject);
    strace.once("close", () => reject(new Error(said.trim())));
    strace.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes(" attached")) resolve();
    });
  });
}
