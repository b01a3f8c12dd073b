// How the wrangler of this project is started and ended: a process group of its own, which sees nothing of the shell but what it needs.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createRequire } from "node:module";
import type { Readable, Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";

const KEPT = [
  "PATH",
  "HOME",
  "USERPROFILE",
  "SYSTEMROOT",
  "TMPDIR",
  "TEMP",
  "NODE_EXTRA_CA_CERTS",
  "NODE_USE_ENV_PROXY",
];
const PROXY = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];

const GUARD = new URL("end-with-parent.ts", import.meta.url).href;

export type WranglerProcess = ChildProcessByStdio<Writable, Readable, Readable>;

/** `folder` is where wrangler begins. Both streams are text. */
export function startWrangler(
  args: readonly string[],
  folder: string,
  variables: Readonly<Record<string, string>>,
): WranglerProcess {
  // Its `bin` would leave an orphan behind when it is killed.
  const program = createRequire(import.meta.url).resolve("wrangler");
  const own = [...KEPT, ...PROXY].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const child = spawn(process.execPath, ["--no-warnings", "--import", GUARD, program, ...args], {
    cwd: folder,
    detached: true,
    env: {
      ...Object.fromEntries(own),
      CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: "false",
      WRANGLER_HIDE_BANNER: "true",
      WRANGLER_SEND_METRICS: "false",
      CI: "true",
      NO_COLOR: "1",
      ...variables,
    },
    // Its end tells that this process is gone.
    stdio: ["pipe", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8");
  return child;
}

/** Sends a signal to wrangler and to all that it started; 0 only asks. Returns whether there was anyone left. */
export function signalGroup({ pid }: Pick<WranglerProcess, "pid">, signal: NodeJS.Signals | 0): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(-pid, signal);
  } catch {
    // It has ended by itself.
    return false;
  }
}

const ASIDES = ["🪵", "To learn more", "If you think this is a bug", "Note that there is a newer version"];

/** Whether a line of wrangler's only says where to read on. */
export function isAside(line: string): boolean {
  return ASIDES.some((aside) => line.startsWith(aside));
}

/** Of what wrangler said, the line that says what is wrong, and what belongs to it. */
export function reasonIn(said: string): string {
  const lines = stripVTControlCharacters(said)
    .split("\n")
    .map((line) => line.trim());
  const at = lines.findIndex((line) => line.includes("[ERROR]"));
  const found = at === -1 ? lines.filter((line) => line !== "").slice(-3) : lines.slice(at, at + 6);
  const words = found.filter((line) => line !== "" && !isAside(line));
  return words.join(" ").replace(/^.*?\[ERROR\]\s*/, "") || "it said nothing";
}
