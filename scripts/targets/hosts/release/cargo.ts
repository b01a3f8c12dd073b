// What a release consists of beside its plan, and its parts for each machine.
import { createHash } from "node:crypto";
import { placeOf } from "#jobs/placement/place.ts";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { type Bundle, bundleOf } from "../../../project/build.ts";
import { CONTROL_PLANE, OFFLINE_MODEL } from "../../local/control-plane/worker-configs.ts";
import { renderConfig } from "../../local/processes/capnp.ts";
import type { JobSecrets } from "../../local/state/secrets.ts";
import { type Authority, issueCertificate } from "../keys/authority.ts";
import type { HttpsFiles } from "../../https-files.ts";
import type { PublicKeys } from "../keys/public-keys.ts";
import { type Machine, SCRIPTS } from "../machine/machine.ts";
import {
  AUTHORITY_FILE,
  certificateFile,
  certificateName,
  type HostProcess,
  httpsCertificateFile,
  httpsKeyFile,
  hostProcesses,
  keyHolders,
} from "./host-processes.ts";
import { type Module, sendRelease } from "./send-release.ts";

export interface Cargo {
  readonly bundles: ReadonlyMap<string, Bundle>;
  readonly secrets: JobSecrets;
  /** The secret of the job's control plane. */
  readonly controlPlaneSecret: string;
  /** Process variables that say how traces are kept and forwarded. */
  readonly settings: Readonly<Record<string, string>>;
  readonly authority: Authority;
  /** Holder → the public halves of its keys, which its host has made. */
  readonly keys: ReadonlyMap<string, PublicKeys>;
  /** Agent → what it answers people with over HTTPS. */
  readonly https: ReadonlyMap<string, HttpsFiles>;
  /** Place → where workerd lies there. */
  readonly workerd: ReadonlyMap<string, string>;
}

/** A plan with its number, and the port of the control plane. */
export interface Numbered {
  readonly plan: Plan;
  readonly release: number;
  readonly controlPlanePort: number;
}

/** What runs at a machine. */
function processesAt(machine: Machine, { plan, release, controlPlanePort }: Numbered, cargo: Cargo): HostProcess[] {
  const { bundles, secrets, controlPlaneSecret, settings } = cargo;
  return hostProcesses(plan, placeOf(plan, machine.id), {
    folder: machine.folder,
    module: (worker) => machine.module(bundleOf(bundles, worker).hash),
    controlPlaneObjects: bundleOf(bundles, CONTROL_PLANE).objects,
    controlPlanePort,
    release,
    secrets,
    controlPlaneSecret,
    settings,
  });
}

/** Changes with whatever would run otherwise. */
export function fingerprint(machines: ReadonlyMap<string, Machine>, numbered: Numbered, cargo: Cargo): string {
  const parts = [...machines].map(([id, machine]) => {
    const processes = processesAt(machine, numbered, cargo).map(({ config, ...process }) => [
      process.name,
      process.environment,
      renderConfig(config),
    ]);
    return [id, cargo.workerd.get(id), numbered.plan.restart, processes, SCRIPTS, [...cargo.https]];
  });
  return createHash("sha256")
    .update(JSON.stringify([numbered.plan, parts]))
    .digest("hex");
}

/** Resolves to the bytes that were sent for modules. */
export async function sendTo(machine: Machine, numbered: Numbered, cargo: Cargo): Promise<number> {
  const { plan, release } = numbered;
  const processes = processesAt(machine, numbered, cargo);
  return sendRelease(machine, {
    number: release,
    processes,
    workerd: cargo.workerd.get(machine.id) ?? "",
    restart: plan.restart,
    modules: modulesOf(plan, processes, cargo.bundles),
    files: await certificates(plan, machine.id, cargo),
    secretFiles: httpsKeys(plan, machine.id, cargo),
  });
}

/** The authority's certificate, and one for each key holder of the place. */
async function certificates(
  plan: Plan,
  place: string,
  { authority, keys, https }: Cargo,
): Promise<Record<string, string>> {
  const issued = keyHolders(plan, placeOf(plan, place)).map(async (holder) => {
    const publicKey = keys.get(holder)?.tls ?? "";
    const certificate = await issueCertificate(authority, { publicKey, name: certificateName(plan, holder) });
    return [certificateFile(holder), certificate] as const;
  });
  const named = plan.agents.flatMap(({ id, place: at }) => {
    const own = at === place ? https.get(id) : undefined;
    return own === undefined ? [] : [[httpsCertificateFile(id), own.certificate] as const];
  });
  const all = [...(await Promise.all(issued)), ...named];
  return { [AUTHORITY_FILE]: authority.certificate, ...Object.fromEntries(all) };
}

function httpsKeys(plan: Plan, place: string, { https }: Cargo): Record<string, string> {
  const keys = plan.agents.flatMap(({ id, place: at }) => {
    const own = at === place ? https.get(id) : undefined;
    return own === undefined ? [] : [[httpsKeyFile(id), own.key] as const];
  });
  return Object.fromEntries(keys);
}

function modulesOf(plan: Plan, processes: readonly HostProcess[], bundles: Cargo["bundles"]): Module[] {
  const shared = [CONTROL_PLANE, OFFLINE_MODEL].filter((name) => processes.some((process) => process.name === name));
  const workers = new Set([...processes.flatMap(({ agents }) => agents.map(({ worker }) => worker)), ...shared]);
  return [...workers].map((worker) => {
    const { path, hash } = bundleOf(bundles, worker);
    return { path, sha256: hash };
  });
}
