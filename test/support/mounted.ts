// A small or read-only file system at a folder, for as long as a test needs it. Only root can mount one.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const exec = promisify(execFile);

/** For `it.skipIf`: says loudly what is skipped. */
export function cannotMount(what: string): boolean {
  if (process.platform === "linux" && process.getuid?.() === 0) return false;
  process.stderr.write(
    `SKIPPED: ${what}, because only root on Linux can mount a file system. Run the tests as root.\n`,
  );
  return true;
}

/** `options`: as mount takes them, such as `size=1m` or `ro`. */
export async function mountTmpfs(folder: string, options: string): Promise<AsyncDisposable> {
  await exec("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]);
  return {
    async [Symbol.asyncDispose]() {
      await exec("umount", ["-l", folder]);
    },
  };
}
