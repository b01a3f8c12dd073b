// What a Worker on Cloudflare is made of: a plan's agents, the control plane, the offline model. Pure, but for hashes.
import { createHmac } from "node:crypto";

import {
  agentScript,
  type CloudflareFacts,
  controlPlaneScript,
  offlineModelScript,
  scriptUrl,
} from "#jobs/plan/cloudflare.ts";
import { objectBinding } from "#jobs/plan/bindings.ts";
import type { Plan, PlannedAgent } from "#jobs/plan/plan-shape.ts";
import { BINDING_PROPS } from "#shared/http/gate.ts";
import { canonical } from "#shared/text/canonical-json.ts";
import type { Bundle } from "../../../project/build.ts";
import { COMPATIBILITY_DATE } from "../../local/processes/capnp.ts";
import { OWNER } from "../account/workers.ts";

/** One Worker, as it is to be. */
export interface Upload {
  readonly script: string;
  readonly bundle: Pick<Bundle, "path" | "hash">;
  /** wrangler's configuration. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** Scripts that it binds to. */
  readonly bindsTo: readonly string[];
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
  /** Classes of Durable Objects, oldest first. */
  readonly classes: readonly string[];
  readonly secrets: Readonly<Record<string, string>>;
}

/** The Worker of an agent. `secrets`: process variable → value. */
export function agentUpload(
  plan: Plan,
  agent: PlannedAgent,
  account: CloudflareFacts,
  { bundle, secrets }: { readonly bundle: Bundle; readonly secrets: Readonly<Record<string, string>> },
): Upload {
  const vars: Record<string, unknown> = {};
  const services: { binding: string; service: string }[] = [];
  const classes: string[] = [];
  const own: Record<string, string> = {};
  for (const item of agent.bindings) {
    switch (item.type) {
      case "json":
      case "text":
        vars[item.name] = item.value;
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
  return upload({ script, owner, bundle, isPublic: true, vars, services, classes, secrets: own });
}

/** `secrets`: TROUPE_SECRET, and how traces are kept and forwarded. */
export function controlPlaneUpload(
  account: CloudflareFacts,
  bundle: Bundle,
  secrets: Readonly<Record<string, string>>,
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
    secrets,
  });
}

/** It is reached by bindings alone. */
export function offlineModelUpload(account: CloudflareFacts, bundle: Bundle): Upload {
  const script = offlineModelScript(account);
  const owner = ownerOf(account);
  return upload({ script, owner, bundle, isPublic: false, vars: {}, services: [], classes: [], secrets: {} });
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

function upload({ script, owner, bundle, isPublic, vars, services, classes, secrets }: Parts): Upload {
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
    migrations: classes.length === 0 ? [] : [{ tag: "v1", new_sqlite_classes: classes }],
  };
  const secret = secrets["TROUPE_KEY"] ?? secrets["TROUPE_SECRET"] ?? "";
  const print = createHmac("sha256", secret)
    .update(canonical([config, bundle.hash, secrets]))
    .digest("hex");
  return { script, bundle, config, secrets, bindsTo: services.map(({ service }) => service), print };
}
