// Holds the tunnels of a job: hold.sh runs on this machine, one for each job, until it is ended, and has an ssh to each host. Its folder is
// `tunnels` in this machine's folder of the job. There lie `lock`, `log`, `wanted` (what it was started with), `ways` (what for), the sockets, and of each
// host `.connect`, `.prepare`, `.script` and `.forward` (what ssh gets) and `.state`.
import { spawn } from "node:child_process";
import { chmod, mkdir, open, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { LOCAL, type Place, placeOf } from "#jobs/placement/place.ts";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { troupeHome } from "../../../project/project.ts";
import { CliError } from "../../../terminal/cli-error.ts";
import { hasCode } from "../../../terminal/system-error.ts";
import { lockHolder } from "../../local/state/lock.ts";
import { endProcess } from "../../local/state/process.ts";
import type { TunnelsStatus } from "../../target.ts";
import { Machine } from "../machine/machine.ts";
import { COMMAND, quote } from "../ssh/framed.ts";
import { environment, OPTIONS } from "../ssh/master.ts";
import { OwnShell } from "../ssh/own-shell.ts";
import { OVER_MASTER } from "../ssh/session.ts";
import { connectionsFor, forwardsOf, type HostForwards, TUNNELS } from "./forwards.ts";

const SCRIPT = join(import.meta.dirname, "hold.sh");
/** Beyond what ssh takes to give up a host. */
const OPEN_LIMIT_MS = 30_000;
const POLL_MS = 25;
/** Of a socket's path, on the system with the least. */
const MAX_PATH_BYTES = 103;

export interface Held {
  readonly plan: Plan;
  readonly controlPlanePort: number;
  /** Place → its machine; those of a trial have tunnels of their own. */
  readonly machines: ReadonlyMap<string, Machine>;
}

/**
 * Has the tunnels of a plan held, and resolves when all are there. Those that are held already stay; others are replaced. Throws CliError
 * where a host takes none.
 */
export async function holdTunnels(held: Held, signal: AbortSignal): Promise<void> {
  const { plan, controlPlanePort } = held;
  const connections = connectionsFor(plan, forwardsOf(plan, controlPlanePort));
  const folder = folderOf(
    machineHere(
      plan.job,
      [...held.machines.values()].some(({ isProof }) => isProof),
    ),
  );
  if (connections.length === 0) return endHolder(folder);
  const files = Object.fromEntries(connections.flatMap((each) => filesFor(each, held)));
  const wanted = JSON.stringify(files);
  const places = connections.map(({ place }) => place);
  const isHeld = (await lockHolder(join(folder, "lock"))) !== undefined && (await text(folder, "wanted")) === wanted;
  if (isHeld && (await statesAt(folder, places)).every(({ state }) => state === "up")) return;
  await endHolder(folder);
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o700);
  const ways = JSON.stringify(connections);
  for (const [name, content] of Object.entries({ ...files, wanted, ways }))
    await writeFile(join(folder, name), content, { mode: 0o600 });
  await start(folder, places, plan);
  await untilUp(folder, places, signal);
}

/** Ends the tunnels of a job, or of its trial. The sockets on hosts go with its processes: see Machine.stop. May be repeated. */
export async function endTunnels(job: string, { proof = false } = {}): Promise<void> {
  const here = machineHere(job, proof);
  await endHolder(folderOf(here));
  // Where no agent runs on this machine, nobody else removes it.
  if (proof) await removeIfEmpty(here.folder);
}

/** Undefined for a job without tunnels. */
export async function tunnelsStatus(plan: Plan, controlPlanePort: number): Promise<TunnelsStatus | undefined> {
  const connections = connectionsFor(plan, forwardsOf(plan, controlPlanePort));
  if (connections.length === 0) return undefined;
  const folder = folderOf(machineHere(plan.job, false));
  // A command that was killed in the middle may have left those of another release.
  const isOwn = (await text(folder, "ways")) === JSON.stringify(connections);
  const pid = isOwn ? ((await lockHolder(join(folder, "lock")))?.pid ?? null) : null;
  const states = await statesAt(
    folder,
    connections.map(({ place }) => place),
  );
  const down = { state: "down", since: null, reason: "nobody holds it" } as const;
  return { pid, log: join(folder, "log"), hosts: states.map((each) => (pid === null ? { ...each, ...down } : each)) };
}

function machineHere(job: string, proof: boolean): Machine {
  return new Machine(LOCAL.id, new OwnShell(troupeHome()), job, { proof });
}

/** The holder's folder. `here`: this machine. */
function folderOf(here: Machine): string {
  return join(here.folder, TUNNELS);
}

/** What ssh is given for one host. */
function filesFor(
  { place: id, remote, local }: HostForwards,
  { plan, machines }: Held,
): [name: string, text: string][] {
  const machine = machines.get(id);
  if (machine === undefined) throw new Error(`There is no machine ${id}`);
  const folder = `${machine.folder}/${TUNNELS}`;
  const over = ["-S", `./${id}.ctl`, ...OVER_MASTER];
  const paths = remote.map(({ socket }) => `${folder}/${socket}`);
  const forwards = [
    ...local.flatMap(({ socket, port }) => ["-L", `${socket}:127.0.0.1:${port}`]),
    ...remote.flatMap(({ leadsTo }, index) => ["-R", `${inForward(checked(paths[index] ?? "", id))}:${leadsTo}`]),
  ];
  const prepare = `umask 077; mkdir -p ${quote(folder)} && chmod 700 ${quote(folder)} && rm -f ${paths.map(quote).join(" ")}`;
  return [
    [`${id}.connect`, words(connectArguments(placeOf(plan, id)))],
    [`${id}.prepare`, words([...over, "--", "host", COMMAND])],
    [`${id}.script`, `${prepare}\n`],
    [`${id}.forward`, words([...over, "-O", "forward", ...forwards, "--", "host"])],
  ];
}

/** The user's configuration says how a host is reached, as for every command. */
function connectArguments({ id, destination = id, port }: Place): string[] {
  const config = process.env["TROUPE_SSH_CONFIG"] || undefined;
  return [
    ...(config === undefined ? [] : ["-F", config]),
    "-M",
    "-S",
    `./${id}.ctl`,
    "-N",
    ...OPTIONS,
    "-o",
    "StreamLocalBindUnlink=yes",
    "-o",
    "StreamLocalBindMask=0177",
    ...(port === undefined ? [] : ["-p", String(port)]),
    "--",
    destination,
  ];
}

function checked(path: string, place: string): string {
  const excess = Buffer.byteLength(path) - MAX_PATH_BYTES;
  if (excess <= 0) return path;
  throw new CliError(
    "failed",
    `The path of a tunnel's socket on ${place} would be ${excess} bytes too long: ${path}`,
    "Give the job a shorter name, or use an account there with a shorter home folder.",
  );
}

/** As a field of -R, in which ssh reads colons, backslashes and percent signs. */
function inForward(path: string): string {
  return path.replaceAll(/[\\:]/g, "\\$&").replaceAll("%", "%%");
}

function words(all: readonly string[]): string {
  return `${all.map(quote).join(" ")}\n`;
}

async function start(folder: string, places: readonly string[], plan: Plan): Promise<void> {
  const log = await open(join(folder, "log"), "a", 0o600);
  try {
    const child = spawn("sh", [SCRIPT, ...places], {
      cwd: folder,
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      env: withoutSecrets(environment(), plan),
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (error) => reject(new CliError("failed", `The tunnels cannot be held: ${error.message}`)));
    });
    child.unref();
  } finally {
    await log.close();
  }
}

/** It lives for long, and needs what ssh needs. */
function withoutSecrets(all: NodeJS.ProcessEnv, { secrets }: Plan): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => !secrets.includes(name) && !name.startsWith("ANTHROPIC_")),
  );
}

/** Ends the holder, and removes its folder. */
async function endHolder(folder: string): Promise<void> {
  const holder = await lockHolder(join(folder, "lock"));
  if (holder !== undefined) await endProcess(holder);
  await rm(folder, { recursive: true, force: true });
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (!hasCode(error, "ENOTEMPTY") && !hasCode(error, "ENOENT")) throw error;
  }
}

async function untilUp(folder: string, places: readonly string[], signal: AbortSignal): Promise<void> {
  const until = Date.now() + OPEN_LIMIT_MS;
  for (;;) {
    const states = await statesAt(folder, places);
    const down = states.filter(({ state }) => state === "down");
    if (down.length > 0) throw refused(down);
    if (states.every(({ state }) => state === "up")) return;
    if (Date.now() > until) throw refused(states.filter(({ state }) => state !== "up"));
    await delay(POLL_MS, undefined, { signal });
  }
}

function refused(hosts: TunnelsStatus["hosts"]): CliError {
  const lines = hosts.map(
    ({ place, reason }) => `No tunnel to ${place} can be held: ${reason || "ssh does not answer"}.`,
  );
  return new CliError(
    "failed",
    lines.join("\n"),
    "sshd there has to allow it (AllowStreamLocalForwarding and AllowTcpForwarding yes). Or write address=… in the host file instead of expose=tunnel.",
  );
}

const STATES = ["up", "connecting", "down"] as const;

/** What hold-host.sh says of each host: a state, seconds since the epoch, and why. */
async function statesAt(folder: string, places: readonly string[]): Promise<TunnelsStatus["hosts"]> {
  return Promise.all(
    places.map(async (place) => {
      const [word, seconds = "", ...why] = (await text(folder, `${place}.state`)).trim().split(" ");
      const state = STATES.find((each) => each === word) ?? "connecting";
      const since = /^\d+$/.test(seconds) ? new Date(Number(seconds) * 1000).toISOString() : null;
      return { place, state, since, reason: why.join(" ") };
    }),
  );
}

async function text(folder: string, name: string): Promise<string> {
  try {
    return await readFile(join(folder, name), "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return "";
    throw error;
  }
}
