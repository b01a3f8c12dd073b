// What a process has used: memory as `ps` tells it, CPU time as /proc does.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Resident memory of a process in MB; undefined where `ps` does not tell. */
export async function residentMb(pid: number): Promise<number | undefined> {
  if (process.platform === "win32") return undefined;
  const { stdout } = await run("ps", ["-o", "rss=", "-p", String(pid)]);
  return Number(stdout.trim()) / 1024;
}

/** Milliseconds of CPU time that these processes have used together; NaN where /proc does not tell. In steps of 10 ms. */
export async function cpuMs(...pids: readonly number[]): Promise<number> {
  if (process.platform !== "linux") return Number.NaN;
  const each = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, "utf8");
      // After the name, which may hold anything, utime and stime are the 12th and 13th fields, in hundredths of a second.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return (Number(fields[11]) + Number(fields[12])) * 10;
    }),
  );
  return each.reduce((sum, ms) => sum + ms, 0);
}

/** Bytes that a process has read from files and pipes; NaN where /proc does not tell. */
export async function bytesRead(pid: number): Promise<number> {
  if (process.platform !== "linux") return Number.NaN;
  return Number(/^rchar: (\d+)$/m.exec(await readFile(`/proc/${pid}/io`, "utf8"))?.[1]);
}
