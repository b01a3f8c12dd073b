// What --target, --hosts and --namespace say.
import { resolve } from "node:path";
import type { Mistake } from "#jobs/file/mistake.ts";
import { parseHosts } from "#jobs/placement/hosts.ts";
import type { PlacementChoice } from "#jobs/placement/place-agents.ts";
import { isUnknown, parseTarget } from "#jobs/placement/target.ts";
import { CliError, mistakesError } from "../terminal/cli-error.ts";
import { shown } from "../project/project.ts";
import { readText } from "./read-text.ts";

/** A host file with mistakes. */
export interface WrongHosts {
  /** As the user would type it. */
  readonly file: string;
  readonly mistakes: readonly Mistake[];
}

interface Flags {
  readonly target?: string | undefined;
  /** A path. */
  readonly hosts?: string | undefined;
  readonly namespace?: string | undefined;
}

const NAMESPACE = /^[a-z][a-z0-9-]{0,18}[a-z0-9]$/;

/** Throws CliError for a host file with mistakes, and for a target that is none. */
export async function readPlacement(flags: Flags): Promise<PlacementChoice> {
  const read = await tryPlacement(flags);
  if ("mistakes" in read) throw mistakesError(read.mistakes);
  return read.placement;
}

/** The choice, or the mistakes of the host file. Throws CliError for a file that cannot be opened, and for a target that is none. */
export async function tryPlacement({
  target,
  hosts: path,
  namespace,
}: Flags): Promise<{ readonly placement: PlacementChoice } | WrongHosts> {
  const read = path === undefined ? {} : await readHosts(resolve(path));
  if ("mistakes" in read) return read;
  const { hosts } = read;
  const parsed = target === undefined ? undefined : parseTarget(target, hosts);
  if (parsed !== undefined && isUnknown(parsed)) {
    throw new CliError("bad_input", `--target: ${parsed.message}.`, parsed.hint);
  }
  if (namespace !== undefined && !NAMESPACE.test(namespace)) {
    throw new CliError(
      "bad_input",
      "--namespace: a namespace has 2 to 20 characters of a-z, 0-9 and -, and begins with a letter.",
    );
  }
  return {
    placement: {
      ...(target === undefined ? {} : { target }),
      ...(hosts === undefined ? {} : { hosts }),
      ...(namespace === undefined ? {} : { namespace }),
    },
  };
}

async function readHosts(path: string): Promise<Pick<PlacementChoice, "hosts"> | WrongHosts> {
  const file = shown(path);
  const read = await readText(path, "host file");
  if ("mistakes" in read) return { file, mistakes: read.mistakes };
  const { hosts, mistakes } = parseHosts(read.text, file);
  return mistakes.length > 0 ? { file, mistakes } : { hosts };
}
