// What --target and --hosts say.
import { resolve } from "node:path";
import { parseHosts } from "#jobs/placement/hosts.ts";
import type { PlacementChoice } from "#jobs/placement/place-agents.ts";
import { isUnknown, parseTarget } from "#jobs/placement/target.ts";
import { CliError, mistakesError } from "../terminal/cli-error.ts";
import { shown } from "../project/project.ts";
import { readText } from "./read-text.ts";

interface Flags {
  readonly target?: string | undefined;
  /** A path. */
  readonly hosts?: string | undefined;
}

/** Throws CliError for a host file with mistakes, and for a target that is none. */
export async function readPlacement({ target, hosts: path }: Flags): Promise<PlacementChoice> {
  const hosts = path === undefined ? undefined : await readHosts(resolve(path));
  const parsed = target === undefined ? undefined : parseTarget(target, hosts);
  if (parsed !== undefined && isUnknown(parsed)) {
    throw new CliError("bad_input", `--target: ${parsed.message}.`, parsed.hint);
  }
  return { ...(target === undefined ? {} : { target }), ...(hosts === undefined ? {} : { hosts }) };
}

async function readHosts(path: string): Promise<PlacementChoice["hosts"]> {
  const read = await readText(path, "host file");
  if ("mistakes" in read) throw mistakesError(read.mistakes);
  const { hosts, mistakes } = parseHosts(read.text, shown(path));
  if (mistakes.length > 0) throw mistakesError(mistakes);
  return hosts;
}
