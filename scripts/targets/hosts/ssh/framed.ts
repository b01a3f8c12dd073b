// A POSIX sh script on its way through a login shell that nobody knows (fish, csh, one that prints a banner): the login
// shell parses only COMMAND. Script and arguments follow on stdin, and random marks stand around what it prints on stdout
// and on stderr.
import { randomBytes } from "node:crypto";

/** Has a POSIX shell read a framed script. */
export const SCRIPT_FROM_STDIN = 'IFS= read -r b; eval "$b"';

/** Means the same in every shell: no backslash, no exclamation mark, no newline, and quotes that do not nest. */
export const COMMAND = `exec /bin/sh -c '${SCRIPT_FROM_STDIN}'`;

export interface Framed {
  readonly mark: string;
  /** What stdin begins with.  */
  readonly head: Buffer;
}

/**
 * - `ends`: the rest of stdin is the script's own.
 * - `stays`: the shell waits for the end of stdin after the script.
 * - `runs-on`: the script has no stdin, and the end of stdin ends it, so that a lost connection leaves nothing running.
 */
type Life = "ends" | "stays" | "runs-on";

/** Arguments reach the script as "$1", "$2" …; it begins in the home folder with umask 077. */
export function frame(script: string, args: readonly string[], life: Life = "ends"): Framed {
  const mark = `troupe-${randomBytes(12).toString("hex")}`;
  const text = Buffer.from(`set -- ${args.map(quote).join(" ")}\n${script}\n`);
  const read = `s=$(dd bs=1 count=${text.length} 2>/dev/null)`;
  const begin = `umask 077; export LC_ALL=C; cd "\${HOME:-/}" 2>/dev/null || cd /; printf '\\n${mark}\\n'; printf '\\n${mark}\\n' >&2`;
  // A subshell, so that the script's exit, traps and options end with it.
  const runsOn = life === "runs-on";
  const run = runsOn
    ? `exec 3<&0; (eval "$s") </dev/null 3<&- & p=$!; { read -r _ <&3; kill "$p"; } 2>/dev/null & w=$!; wait "$p"`
    : `(eval "$s")`;
  const end = `c=$?; ${runsOn ? `kill "$w"; ` : ""}printf '\\n${mark} %s\\n' "$c"; printf '\\n${mark} %s\\n' "$c" >&2${life === "stays" ? "; read -r _" : ""}`;
  return { mark, head: Buffer.concat([Buffer.from(`${read}; ${begin}; ${run}; ${end}\n`), text]) };
}

/** As one word of a POSIX shell. */
export function quote(text: string): string {
  if (text.includes("\0")) throw new TypeError("An argument holds a NUL");
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Reads framed output as it arrives: what stands between the marks, and the exit code. */
export class FrameReader {
  readonly #begin: Buffer;
  readonly #end: Buffer;
  #state: "before" | "inside" | "after" = "before";
  #rest: Buffer = Buffer.alloc(0);
  #code: number | undefined;

  constructor(mark: string) {
    this.#begin = Buffer.from(`\n${mark}\n`);
    this.#end = Buffer.from(`\n${mark} `);
  }

  /** Of the script; undefined until it has ended. */
  get code(): number | undefined {
    return this.#code;
  }

  /** Returns the script's own bytes among these, and keeps what may belong to a mark. */
  read(chunk: Buffer): Buffer {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    if (this.#state === "before") {
      const at = this.#rest.indexOf(this.#begin);
      if (at === -1) {
        this.#keepLast(this.#begin.length);
        return Buffer.alloc(0);
      }
      this.#rest = this.#rest.subarray(at + this.#begin.length);
      this.#state = "inside";
    }
    if (this.#state === "after") return Buffer.alloc(0);
    const at = this.#rest.indexOf(this.#end);
    if (at === -1) return this.#keepLast(this.#end.length);
    const code = /^(\d+)\n/.exec(this.#rest.toString("latin1", at + this.#end.length));
    if (code === null) return Buffer.alloc(0);
    const own = this.#rest.subarray(0, at);
    this.#code = Number(code[1]);
    this.#state = "after";
    return own;
  }

  #keepLast(bytes: number): Buffer {
    const cut = Math.max(0, this.#rest.length - bytes);
    const front = this.#rest.subarray(0, cut);
    this.#rest = this.#rest.subarray(cut);
    return front;
  }
}
