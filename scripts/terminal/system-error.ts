// Errors of system calls (files, folders, processes) as sentences with a hint, instead of a stack trace.
import { CliError } from "./cli-error.ts";

/** An error of a system call, as Node throws it. */
interface SystemError extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly path?: string;
  readonly dest?: string;
}

type Words = (at: string, home: string) => readonly [message: string, next: string];

const noRight: Words = (at, home) => [
  `This user may not use ${at}.`,
  `Make this user its owner (sudo chown -R "$USER" …), or keep deployments in a folder of your own: export TROUPE_HOME=… (now ${home}).`,
];
const full: Words = (at) => [
  `The disk of ${at} is full.`,
  "Free some space, then try again. troupe stop needs none; troupe cleanup removes stopped jobs.",
];
const tooManyFiles: Words = (at) => [
  `Too many files are open, so ${at} cannot be opened.`,
  "End programs that hold many files, or raise the limit: ulimit -n 4096",
];
const broken: Words = (at) => [`The disk of ${at} fails.`, "Read the system's log: dmesg"];
const busy: Words = (at) => [`Another program keeps ${at} busy.`, "End it, or try again later."];

const WORDS: Readonly<Record<string, Words>> = {
  EACCES: noRight,
  EPERM: noRight,
  EROFS: (at, home) => [
    `The file system of ${at} is read-only.`,
    `Mount it for writing, or keep deployments elsewhere: export TROUPE_HOME=… (now ${home}).`,
  ],
  ENOSPC: full,
  EDQUOT: full,
  EFBIG: full,
  EMFILE: tooManyFiles,
  ENFILE: tooManyFiles,
  ENOENT: (at) => [`${at} is missing.`, "Something removed it meanwhile. Try again."],
  ENOTDIR: (at) => [`A part of ${at} is a file where a folder should be.`, "Move that file away."],
  EISDIR: (at) => [`${at} is a folder where a file should be.`, "Move that folder away."],
  EEXIST: (at) => [`${at} already exists.`, "Move it away."],
  ENOTEMPTY: (at) => [`${at} is not empty.`, "Move its content away."],
  ELOOP: (at) => [`${at} is a link that leads back to itself.`, "Remove that link."],
  ENAMETOOLONG: (at) => [`The path ${at} is too long.`, "Choose a shorter one."],
  EIO: broken,
  ENXIO: broken,
  ENODEV: broken,
  ESTALE: broken,
  EBUSY: busy,
  ETXTBSY: busy,
  ENOMEM: (at) => [`There is no memory left for ${at}.`, "End programs that need much of it, then try again."],
  EAGAIN: (at) => [
    `The system starts no further process, so ${at} cannot run.`,
    "End some, or raise the limit: ulimit -u",
  ],
};

const NO_ROOM: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EROFS"]);

/** The CliError for an error of a system call; undefined for any other error. `home` is the folder of deployment state. */
export function inWords(error: unknown, home: string): CliError | undefined {
  if (!isSystemError(error)) return undefined;
  const at = error.path ?? error.dest ?? "this file";
  const words = WORDS[error.code];
  if (words === undefined) return new CliError("failed", `The system refuses: ${error.message}`);
  const [message, next] = words(at, home);
  return new CliError("failed", `${message} (${error.syscall}: ${error.code})`, next);
}

/** Whether nothing can be written: the disk is full, or read-only. */
export function hasNoRoom(error: unknown): boolean {
  return isSystemError(error) && NO_ROOM.has(error.code);
}

function isSystemError(error: unknown): error is SystemError {
  return (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "string" &&
    "syscall" in error &&
    typeof error.syscall === "string"
  );
}

/** Whether Node gave the error this code, such as ENOENT. */
export function hasCode(error: unknown, code: string | number): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
