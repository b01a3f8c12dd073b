// The control plane and the offline model, one workerd each, which all jobs of a `.troupe` folder share. They start
// with the first job and stop with the last.
import { mkdir, readFile } from "node:fs/promises";

import { mac } from "#shared/a2a/token.ts";

import { writeFileAtomically } from "../../../project/atomic-file.ts";
import { type Bundle, bundleOf } from "../../../project/build.ts";
import { CliError } from "../../../terminal/cli-error.ts";
import type { Io } from "../../../terminal/io.ts";
import { portIn, renderConfig, type WorkerdConfig } from "../processes/capnp.ts";
import { findDamaged, setAside } from "../state/damaged.ts";
import { isHealthy, waitUntilHealthy } from "../processes/health.ts";
import { controlPlaneLayout, jobLayout, type ProcessLayout } from "../state/layout.ts";
import { lockHolder, withLock } from "../state/lock.ts";
import { freePorts, isTaken } from "../processes/ports.ts";
import { isUp } from "../processes/processes.ts";
import { knownPorts } from "../processes/known-ports.ts";
import { hasReaders } from "./readers.ts";
import { controlPlaneSecret, ensureControlPlaneSecret } from "../state/secrets.ts";
import { ControlPlaneState, DamagedError, knownJobs, readOrSetAside, readState, writeState } from "../state/state.ts";
import {
  endedError,
  endSupervised,
  machineFolder,
  markHealthy,
  startSupervised,
  supervisorOf,
} from "../processes/supervisor.ts";
import { traceSettings } from "./trace-settings.ts";
import { controlPlaneConfig, offlineModelConfig } from "./worker-configs.ts";

const LOCK_PATIENCE_MS = 60_000;
const START_TIMEOUT_MS = 15_000;

export interface ControlPlane {
  readonly url: string;
  readonly port: number;
  readonly modelPort: number;
  readonly secret: string;
}

/**
 * Returns the control plane; starts it if it does not run, or if its code or its trace settings have changed.
 * `promised`: ports on which a job is about to start.
 */
export async function ensureControlPlane(
  home: string,
  bundles: ReadonlyMap<string, Bundle>,
  io: Io,
  promised: readonly number[] = [],
): Promise<ControlPlane> {
  const options = { patienceMs: LOCK_PATIENCE_MS, signal: io.signal };
  return withLock(controlPlaneLayout(home).lock, options, async () => ensure(home, bundles, io, promised));
}

async function ensure(
  home: string,
  bundles: ReadonlyMap<string, Bundle>,
  io: Io,
  promised: readonly number[],
): Promise<ControlPlane> {
  const layout = controlPlaneLayout(home);
  const secret = await ensureControlPlaneSecret(layout.secret, io);
  const [registry, model] = [bundleOf(bundles, "control-plane"), bundleOf(bundles, "offline-model")];
  const settings = await traceSettings(layout.settings, io);
  // Settings may hold secrets, so only their MAC is stored.
  const version = `${registry.hash}.${model.hash}.${mac(secret, `settings:${JSON.stringify(settings)}`)}`;
  const remembered = await portsOfConfigs(layout);
  const last = (await readOrSetAside(layout.state, ControlPlaneState, io)) ?? remembered;
  const damaged = findDamaged(layout.registry.data);
  const isCurrent =
    last?.version === version && damaged.length === 0 && (await areSupervised([layout.registry, layout.model]));
  if (isCurrent && (await isHealthyAt([last.port, last.modelPort]))) {
    return { url: addressOf(last.port), port: last.port, modelPort: last.modelPort, secret };
  }
  await endSupervised([layout.registry, layout.model]);
  setAside(damaged, io);
  const [port, modelPort] = await chooseSharedPorts(home, last, promised);
  await mkdir(layout.registry.data, { recursive: true });
  await writeState(layout.state, { port, modelPort, version } satisfies ControlPlaneState);
  const machine = machineFolder(layout.registry);
  const config = controlPlaneConfig({
    objects: registry.objects,
    module: "../build/control-plane/index.js",
    settings: Object.keys(settings),
    sockets: [{ address: `127.0.0.1:${port}` }],
    machine,
    data: layout.registry.data,
  });
  const modelConfig = offlineModelConfig("../build/offline-model/index.js", `127.0.0.1:${modelPort}`);
  await Promise.all([
    serve(layout.registry, config, { ...settings, TROUPE_SECRET: secret }, addressOf(port), io),
    serve(layout.model, modelConfig, {}, addressOf(modelPort), io),
  ]);
  return { url: addressOf(port), port, modelPort, secret };
}

async function areSupervised(processes: readonly ProcessLayout[]): Promise<boolean> {
  if (process.platform === "win32") return true;
  const supervisors = await Promise.all(processes.map(supervisorOf));
  return supervisors.every((identity) => identity !== undefined);
}

async function isHealthyAt(ports: readonly number[]): Promise<boolean> {
  const healthy = await Promise.all(ports.map(async (port) => isHealthy(addressOf(port), 2_000)));
  return healthy.every(Boolean);
}

/** Starts one of the two processes and waits until it is healthy at `url`. */
async function serve(
  own: ProcessLayout,
  config: WorkerdConfig,
  secrets: Record<string, string>,
  url: string,
  io: Io,
): Promise<void> {
  await writeFileAtomically(own.config, renderConfig(config));
  const { ended } = await startSupervised({ process: own, secrets, restart: "on-failure", urls: [url] });
  const wait = { timeoutMs: START_TIMEOUT_MS, intervalMs: 50, lookMs: 2_000, ended, signal: io.signal };
  const health = await waitUntilHealthy(url, wait);
  if (health === "ended") throw await endedError(own);
  if (health === "late")
    throw new CliError("failed", `The ${own.name} does not answer at ${url}.`, `Its log: ${own.log}`);
  await markHealthy(own);
}

/** The control plane if it runs; undefined otherwise. Does not start it. */
export async function findControlPlane(home: string): Promise<ControlPlane | undefined> {
  const layout = controlPlaneLayout(home);
  if ((await lockHolder(layout.registry.dataLock)) === undefined) return undefined;
  const state = await readState(layout.state, ControlPlaneState).catch(async (error: unknown) => {
    if (error instanceof DamagedError) return portsOfConfigs(layout);
    throw error;
  });
  const secret = await controlPlaneSecret(layout.secret);
  if (state === undefined || secret === undefined) return undefined;
  return { url: addressOf(state.port), port: state.port, modelPort: state.modelPort, secret };
}

/** Stops the control plane, unless a command reads from it or a job other than `leaving` runs or is being changed. */
export async function releaseControlPlane(home: string, leaving: string): Promise<void> {
  const { lock } = controlPlaneLayout(home);
  await withLock(lock, { patienceMs: LOCK_PATIENCE_MS, withoutRoom: true }, async () => stopUnlessUsed(home, leaving));
}

async function stopUnlessUsed(home: string, leaving: string): Promise<void> {
  for (const job of await knownJobs(home)) {
    if (job !== leaving && (await isInUse(home, job))) return;
  }
  if (await hasReaders(home)) return;
  const { registry, model } = controlPlaneLayout(home);
  await endSupervised([registry, model]);
}

async function isInUse(home: string, job: string): Promise<boolean> {
  return (await isUp(home, job)) || (await lockHolder(jobLayout(home, job).lock)) !== undefined;
}

/** Ports in the configurations of workerd, which running agents know; undefined before the first start. */
async function portsOfConfigs({
  registry,
  model,
}: ReturnType<typeof controlPlaneLayout>): Promise<ControlPlaneState | undefined> {
  const [port, modelPort] = await Promise.all(
    [registry, model].map(async ({ config }) => portIn(await readFile(config, "utf8").catch(() => ""))),
  );
  return port === undefined || modelPort === undefined ? undefined : { port, modelPort, version: "" };
}

/** The former ports, if they are free; else any that are not `promised` to agents. */
async function chooseSharedPorts(
  home: string,
  last: ControlPlaneState | undefined,
  promised: readonly number[],
): Promise<[port: number, modelPort: number]> {
  if (last !== undefined && !(await isTaken(last.port)) && !(await isTaken(last.modelPort))) {
    return [last.port, last.modelPort];
  }
  const [port = 0, modelPort = 0] = await freePorts(2, new Set([...promised, ...(await knownPorts(home))]));
  return [port, modelPort];
}

function addressOf(port: number): string {
  return `http://127.0.0.1:${port}`;
}
