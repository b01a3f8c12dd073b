// What changes a Worker's code or bindings: uploads, versions, deployments and secrets. Each checks everything first and then
// changes the account in one go, so that a refused call leaves it as it was.
import { type Account, newVersionId, newWorker, targetOf } from "./account.ts";
import {
  ApiError,
  badRequest,
  latestNotDeployed,
  migrationInVersion,
  noSuchVersion,
  notInherited,
  targetMissing,
  tooManyWorkers,
} from "./api-error.ts";
import { migrate } from "./migrations.ts";
import { startUp } from "./startup.ts";
import type { Upload } from "./upload.ts";
import {
  type Code,
  type Deployment,
  type KeptBinding,
  type Namespace,
  type Version,
  versionOf,
  type Worker,
} from "./worker.ts";

/** `PUT scripts/:name`: a version that runs at once, with its migrations. */
export async function publish(
  account: Account,
  name: string,
  upload: Upload,
): Promise<{ worker: Worker; version: Version }> {
  const code = { ...upload.code, ...(await startUp(upload.code)) };
  const there = account.workers.get(name);
  if (there === undefined && account.workers.size >= account.limits.workers)
    throw tooManyWorkers(account.limits.workers);
  const worker = there ?? newWorker(name);
  const namespaces = upload.migrations === undefined ? worker.namespaces : migrate(worker, upload.migrations);
  checkClasses(worker, namespaces, code);
  const bindings = bindingsOf(account, worker, namespaces, upload);
  account.workers.set(name, worker);
  worker.namespaces = namespaces;
  worker.migrationTag = upload.migrations?.new_tag ?? worker.migrationTag;
  worker.tags = upload.tags ?? worker.tags;
  const version = addVersion(worker, code, bindings, { "workers/triggered_by": "upload", ...upload.annotations });
  addDeployment(worker, [{ version_id: version.id, percentage: 100 }], { "workers/triggered_by": "upload" });
  return { worker, version };
}

/** `POST scripts/:name/versions`: a version that does not run yet. */
export async function addUploaded(
  account: Account,
  name: string,
  upload: Upload,
): Promise<{ worker: Worker; version: Version }> {
  account.worker(name);
  if (upload.migrations !== undefined) throw migrationInVersion();
  const code = { ...upload.code, ...(await startUp(upload.code)) };
  const worker = account.worker(name);
  checkClasses(worker, worker.namespaces, code);
  const bindings = bindingsOf(account, worker, worker.namespaces, upload);
  const annotations = { "workers/triggered_by": "version_upload", ...upload.annotations };
  return { worker, version: addVersion(worker, code, bindings, annotations) };
}

/** `POST scripts/:name/deployments`. */
export function deploy(
  worker: Worker,
  shares: Deployment["versions"],
  annotations: Deployment["annotations"],
): Deployment {
  const sum = shares.reduce((all, { percentage }) => all + percentage, 0);
  if (shares.length === 0 || shares.length > 2 || Math.abs(sum - 100) > 0.001) {
    throw badRequest("A deployment has one or two versions, and their percentages sum up to 100.");
  }
  for (const { version_id: id } of shares) {
    const version = versionOf(worker, id);
    if (version === undefined) throw noSuchVersion(id);
    if (version.migrationTag !== worker.migrationTag) {
      throw badRequest(
        `The version ${id} is from before the migration '${worker.migrationTag ?? ""}' of Durable Objects.`,
      );
    }
  }
  return addDeployment(worker, shares, { "workers/triggered_by": "deployment", ...annotations });
}

/** Sets secrets, and deletes those that are null: one version more, which runs at once. */
export function changeSecrets(worker: Worker, secrets: Readonly<Record<string, string | null>>): void {
  const latest = worker.versions.at(-1);
  const [only, second] = worker.deployments[0]?.versions ?? [];
  if (latest === undefined || second !== undefined || only?.version_id !== latest.id) throw latestNotDeployed();
  for (const [name, text] of Object.entries(secrets)) {
    const former = latest.bindings.find((binding) => binding.name === name);
    if (former === undefined ? text === null : former.type !== "secret_text") {
      throw former === undefined
        ? new ApiError(404, 10_056, `Binding '${name}' not found.`)
        : new ApiError(
            400,
            10_053,
            `Binding name '${name}' already in use. Please use a different name and try again.`,
          );
    }
  }
  const kept = latest.bindings.filter(({ name }) => !(name in secrets));
  const set = Object.entries(secrets).flatMap(([name, text]) =>
    text === null ? [] : [{ type: "secret_text" as const, name, text }],
  );
  const version = addVersion(worker, latest.code, [...kept, ...set], { "workers/triggered_by": "secret" });
  addDeployment(worker, [{ version_id: version.id, percentage: 100 }], { "workers/triggered_by": "secret" });
}

export function secretsOf(worker: Worker): string[] {
  const latest = worker.versions.at(-1)?.bindings ?? [];
  return latest.flatMap((binding) => (binding.type === "secret_text" ? [binding.name] : []));
}

function addVersion(
  worker: Worker,
  code: Code,
  bindings: readonly KeptBinding[],
  annotations: Readonly<Record<string, string>>,
): Version {
  const version = {
    id: newVersionId(),
    number: worker.versions.length + 1,
    createdAt: touched(worker),
    annotations,
    bindings,
    code,
    migrationTag: worker.migrationTag,
  };
  worker.versions.push(version);
  return version;
}

function addDeployment(
  worker: Worker,
  versions: Deployment["versions"],
  annotations: Deployment["annotations"],
): Deployment {
  const deployment = { id: newVersionId(), createdAt: touched(worker), annotations, versions };
  worker.deployments.unshift(deployment);
  return deployment;
}

function touched(worker: Worker): string {
  worker.modifiedAt = new Date().toISOString();
  return worker.modifiedAt;
}

function bindingsOf(
  account: Account,
  worker: Worker,
  namespaces: readonly Namespace[],
  { bindings, keepBindings }: Upload,
): KeptBinding[] {
  const former = worker.versions.at(-1)?.bindings ?? [];
  const stated = bindings.map((binding): KeptBinding => {
    if (binding.type !== "inherit") return binding;
    const inherited = former.find(({ name }) => name === (binding.old_name ?? binding.name));
    if (inherited === undefined) throw notInherited(binding.name);
    return { ...inherited, name: binding.name };
  });
  const names = new Set(stated.map(({ name }) => name));
  if (names.size < stated.length) throw new ApiError(400, 10_021, "Two bindings have the same name.");
  const kept = former.filter(({ name, type }) => keepBindings.includes(type) && !names.has(name));
  const all = [...stated, ...kept];
  for (const binding of all) checkTarget(account, worker, namespaces, binding);
  return all;
}

function checkTarget(account: Account, worker: Worker, own: readonly Namespace[], binding: KeptBinding): void {
  const target = targetOf(binding) ?? worker.name;
  if (binding.type === "service" && target !== worker.name && !account.workers.has(target)) {
    throw targetMissing(binding.name, target);
  }
  if (binding.type !== "durable_object_namespace") return;
  const there = target === worker.name ? own : account.workers.get(target)?.namespaces;
  if (there === undefined) {
    throw new ApiError(400, 10_061, `Cannot create binding for class in script '${target}' that does not exist.`);
  }
  if (!there.some(({ className }) => className === binding.class_name)) {
    throw new ApiError(
      400,
      10_061,
      `Cannot create binding for class '${binding.class_name}' because it is not currently configured to implement Durable Objects. Ensure a --new-class migration has been applied to it.`,
    );
  }
}

function checkClasses(worker: Worker, namespaces: readonly Namespace[], code: Code): void {
  for (const { id, className } of namespaces) {
    if (code.classes.includes(className)) continue;
    throw worker.namespaces.some((one) => one.id === id)
      ? new ApiError(
          400,
          10_064,
          `New version of script does not export class '${className}' which is depended on by existing Durable Objects. If you want to delete the class's existing Durable Objects, use a delete-class migration.`,
        )
      : new ApiError(
          400,
          10_070,
          `Cannot apply new-sqlite-class migration to class '${className}' that is not exported by script.`,
        );
  }
}

export function deleteWorker(account: Account, name: string, isForced: boolean): void {
  account.service(name);
  const references = account.referencesTo(name);
  if (references.length > 0 && !isForced) {
    const binders = [...new Set(references.map(({ worker }) => worker.name))].join(", ");
    throw new ApiError(400, 10_064, `The Worker '${name}' is in use by other Workers: ${binders}.`);
  }
  account.workers.delete(name);
  for (let at = account.domains.length - 1; at >= 0; at--) {
    if (account.domains[at]?.service === name) account.domains.splice(at, 1);
  }
  for (let at = account.routes.length - 1; at >= 0; at--) {
    if (account.routes[at]?.script === name) account.routes.splice(at, 1);
  }
}
