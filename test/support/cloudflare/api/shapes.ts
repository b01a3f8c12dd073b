// How the API shows what the account has: the fields that wrangler and the documented API clients read.
import type { Account } from "../account/account.ts";
import { type Deployment, type KeptBinding, running, type Version, type Worker } from "../account/worker.ts";

const AUTHOR = { author_id: "0123456789abcdef0123456789abcdef", author_email: "tester@example.com" };
const DEPLOYED_FROM = "wrangler";

/** A secret is named and never told. */
export function bindingShape(binding: KeptBinding): Record<string, unknown> {
  return binding.type === "secret_text" ? { type: binding.type, name: binding.name } : binding;
}

export function versionShape(version: Version) {
  const { id, number, createdAt, annotations, bindings, code, migrationTag } = version;
  return {
    id,
    number,
    metadata: { created_on: createdAt, modified_on: createdAt, source: DEPLOYED_FROM, hasPreview: false, ...AUTHOR },
    annotations,
    resources: {
      bindings: bindings.map(bindingShape),
      script: { etag: code.etag, handlers: code.handlers, last_deployed_from: DEPLOYED_FROM },
      script_runtime: {
        compatibility_date: code.compatibilityDate,
        compatibility_flags: code.compatibilityFlags,
        migration_tag: migrationTag,
        usage_model: "standard",
      },
    },
  };
}

export function deploymentShape({ id, createdAt, annotations, versions }: Deployment) {
  return { id, source: DEPLOYED_FROM, strategy: "percentage", created_on: createdAt, annotations, versions, ...AUTHOR };
}

export function scriptShape(worker: Worker) {
  const version = running(worker)[0]?.version;
  return {
    id: worker.name,
    tag: worker.tag,
    tags: worker.tags,
    etag: version?.code.etag,
    handlers: version?.code.handlers,
    compatibility_date: version?.code.compatibilityDate,
    compatibility_flags: version?.code.compatibilityFlags,
    migration_tag: worker.migrationTag,
    created_on: worker.createdAt,
    modified_on: worker.modifiedAt,
    last_deployed_from: DEPLOYED_FROM,
    usage_model: "standard",
    has_assets: false,
    has_modules: true,
    ...worker.settings,
  };
}

export function serviceShape(worker: Worker) {
  const environment = {
    environment: "production",
    created_on: worker.createdAt,
    modified_on: worker.modifiedAt,
    script: scriptShape(worker),
  };
  return {
    id: worker.name,
    created_on: worker.createdAt,
    modified_on: worker.modifiedAt,
    usage_model: "standard",
    default_environment: environment,
    environments: [environment],
  };
}

export function settingsShape(worker: Worker) {
  const version = running(worker)[0]?.version;
  return {
    bindings: (version?.bindings ?? []).map(bindingShape),
    compatibility_date: version?.code.compatibilityDate,
    compatibility_flags: version?.code.compatibilityFlags,
    migration_tag: worker.migrationTag,
    tags: worker.tags,
    usage_model: "standard",
    logpush: false,
    ...worker.settings,
  };
}

export function workerShape(account: Account, worker: Worker) {
  return {
    id: worker.tag,
    name: worker.name,
    tags: worker.tags,
    created_on: worker.createdAt,
    updated_on: worker.modifiedAt,
    subdomain: { ...worker.subdomain, url: `https://${worker.name}.${account.subdomain}.workers.dev` },
    references: {
      workers: account.referencesTo(worker.name).map(({ worker: { tag, name } }) => ({ id: tag, name })),
      domains: account.domains
        .filter(({ service }) => service === worker.name)
        .map(({ id, hostname }) => ({ id, hostname })),
      durable_objects: [],
      queues: [],
      dispatch_namespace_outbounds: [],
    },
  };
}
