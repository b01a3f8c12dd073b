// What a Worker on Cloudflare is made of: a plan's agents, the control plane, the offline model. Pure, but for hashes.
import { createHmac } from "node:crypto";

import {
  agentScript,
  type CloudflareFacts,
  controlPlaneScript,
  offlineModelScript,
  scriptUrl,
} from "#jobs/plan/cloudflare.ts";
import { variablesOf } from "#jobs/plan/cloudflare/variables.ts";
import { objectBinding } from "#jobs/plan/bindings.ts";
import type { Plan, PlannedAgent } from "#jobs/plan/plan-shape.ts";
import { BINDING_PROPS } from "#shared/http/gate.ts";
import { canonical } from "#shared/text/canonical-json.ts";
import type { Bundle } from "../../../project/build.ts";
import type { ObjectStep } from "../../local/state/state.ts";
import { COMPATIBILITY_DATE } from "../../local/processes/capnp.ts";
import { OWNER } from "../account/workers.ts";
import { migrationsOf, stepsTo } from "./migrations.ts";

/** One Worker, as it is to be. */
export interface Upload {
  readonly script: string;
  /** Whose it is. */
  readonly owner: string;
  readonly bundle: Pick<Bundle, "path" | "hash">;
  /** wrangler's configuration. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** Scripts that it binds to. */
  readonly bindsTo: readonly string[];
  readonly steps: readonly ObjectStep[];
  /** Changes with anything of the above, and tells nothing of the secrets. */
  readonly print: string;
}

interface Parts {
  readonly script: string;
  readonly owner: string;
  readonly bundle: Pick<Bundle, "path" | "hash">;
  readonly isPublic: boolean;
  readonly vars: Readonly<Record<string, unknown>>;
  readonly services: readonly { readonly binding: string; readonly service: string }[];
  /** Classes of Durable Objects. */
  readonly classes: readonly string[];
  readonly lineage: Lineage;
  readonly secrets: Readonly<Record<string, string>>;
}

/** What a Worker was before. */
export interface Lineage {
  readonly before: readonly ObjectStep[];
  /** Whether data of classes may be deleted. */
  readonly mayLose: boolean;
}

interface AgentParts {
  readonly bundle: Bundle;
  /** Process variable → value. */
  readonly secrets: Readonly<Record<string, string>>;
  /** None for a new one. */
  readonly lineage?: Lineage;
}

const NEW: Lineage = { before: [], mayLose: false };

/** The Worker of an agent. Throws CliError where data would be lost. */
export function agentUpload(
  plan: Plan,
  agent: PlannedAgent,
  account: CloudflareFacts,
  { bundle, secrets, lineage = NEW }: AgentParts,
): Upload {
  const services: { binding: string; service: string }[] = [];
  const classes: string[] = [];
  const own: Record<string, string> = {};
  for (const item of agent.bindings) {
    switch (item.type) {
      case "json":
      case "text":
        // variablesOf takes them.
        break;
      case "service":
        services.push({ binding: item.name, service: scriptOf(plan, account, item.service) });
        break;
      case "object":
        classes.push(item.className);
        break;
      case "secret":
        own[item.name] = secrets[item.variable] ?? "";
        break;
      case "object-files":
        throw new Error("A Worker on Cloudflare has no files.");
    }
  }
  const script = agentScript(account, plan.job, agent.id);
  const owner = ownerOf(account, plan.job, agent.id);
  return upload({
    script,
    owner,
    bundle,
    isPublic: plan.cloudflare?.workersDev ?? true,
    vars: variablesOf(agent.bindings),
    services,
    classes,
    lineage,
    secrets: own,
  });
}

/** `secrets`: TROUPE_SECRET, and how traces are kept and forwarded. */
export function controlPlaneUpload(
  account: CloudflareFacts,
  bundle: Bundle,
  { secrets, before }: Pick<Upload, "secrets"> & Pick<Lineage, "before">,
): Upload {
  const script = controlPlaneScript(account);
  return upload({
    script,
    owner: ownerOf(account),
    bundle,
    isPublic: true,
    vars: { TROUPE_URL: scriptUrl(account, script) },
    services: [],
    classes: bundle.objects,
    lineage: { before, mayLose: false },
    secrets,
  });
}

/** It is reached by bindings alone. */
export function offlineModelUpload(account: CloudflareFacts, bundle: Bundle): Upload {
  const script = offlineModelScript(account);
  const owner = ownerOf(account);
  const nothing = { vars: {}, services: [], classes: [], lineage: NEW, secrets: {} };
  return upload({ script, owner, bundle, isPublic: false, ...nothing });
}

/** Whose a Worker is. Without a job, the namespace's. */
export function ownerOf({ namespace }: Pick<CloudflareFacts, "namespace">, job?: string, agent?: string): string {
  return [namespace, job, agent].filter((part) => part !== undefined).join("/");
}

function scriptOf(
  plan: Plan,
  account: CloudflareFacts,
  service: Extract<PlannedAgent["bindings"][number], { type: "service" }>["service"],
): string {
  switch (service.to) {
    case "agent":
      return agentScript(account, plan.job, service.agent);
    case "control-plane":
      return controlPlaneScript(account);
    case "offline-model":
      return offlineModelScript(account);
    case "address":
    case "network":
      throw new Error("On Cloudflare a Worker's own fetch is the network.");
  }
}

function upload(parts: Parts): Upload {
  const { script, owner, bundle, isPublic, vars, services, classes, lineage, secrets } = parts;
  const steps = stepsTo(classes, { script, ...lineage });
  const config = {
    name: script,
    main: "index.js",
    no_bundle: true,
    find_additional_modules: false,
    compatibility_date: COMPATIBILITY_DATE,
    // The second: an agent's address is asked by the control plane of the same account.
    compatibility_flags: ["nodejs_compat", "global_fetch_strictly_public"],
    workers_dev: isPublic,
    preview_urls: false,
    vars: { ...vars, [OWNER]: owner },
    services: services.map((service) => ({ ...service, props: BINDING_PROPS })),
    durable_objects: { bindings: classes.map((name) => ({ name: objectBinding(name), class_name: name })) },
    migrations: migrationsOf(steps),
  };
  const secret = secrets["TROUPE_KEY"] ?? secrets["TROUPE_SECRET"] ?? "";
  const print = createHmac("sha256", secret)
    .update(canonical([config, bundle.hash, secrets]))
    .digest("hex");
  const bindsTo = services.map(({ service }) => service);
  return { script, owner, bundle, config, secrets, bindsTo, steps, print };
}
