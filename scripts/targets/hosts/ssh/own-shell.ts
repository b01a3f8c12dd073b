// This machine as one of the places of a job: scripts run here as they do on hosts.
import { spawn } from "node:child_process";
import { createReadStream, createWriteStream } from "node:fs";
import { chmod, mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";

import { CliError } from "../../../terminal/cli-error.ts";
import type { Shell } from "./connection.ts";
import { SCRIPT_FROM_STDIN } from "./framed.ts";
import type { Content, SendOptions } from "./send.ts";
import { type Ran, type RunOptions, runScript, scriptLines, type Sessions } from "./session.ts";

export class OwnShell implements Shell {
  readonly to = { id: "local" };
  readonly root: string;

  /** `home`: the absolute path of the folder of deployment state. */
  constructor(home: string) {
    this.root = home;
  }

  async run(script: string, options: RunOptions = {}): Promise<Ran> {
    return runScript(SESSIONS, script, options);
  }

  lines(
    script: string,
    options: { readonly args?: readonly string[]; readonly signal: AbortSignal },
  ): AsyncIterable<string> {
    return scriptLines(SESSIONS, script, options);
  }

  /** Copies a file. Nothing is sent. */
  async send(content: Content, to: string, { mode = 0o600 }: SendOptions): Promise<number> {
    const part = `${to}.part`;
    await mkdir(dirname(to), { recursive: true });
    if ("bytes" in content) await writeFile(part, content.bytes);
    else await pipeline(createReadStream(content.path), createWriteStream(part));
    await chmod(part, mode);
    await rename(part, to);
    return 0;
  }
}

const SESSIONS: Sessions = {
  to: { id: "local" },
  isGone: false,
  ended: new Promise(() => {}),
  lost: () => new CliError("failed", "This machine starts no shell."),
  open: () => {
    // Detached: Ctrl-C must not end what cleans up.
    const child = spawn("/bin/sh", ["-c", SCRIPT_FROM_STDIN], { detached: true, stdio: ["pipe", "pipe", "pipe"] });
    child.stdin.on("error", () => undefined);
    child.on("error", () => undefined);
    return child;
  },
};
