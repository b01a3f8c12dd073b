// The Workers of a job under one `wrangler dev`: those of a deployment, and the router before them. Pure.
import { join } from "node:path";

import { UNKNOWN_ACCOUNT } from "#jobs/plan/cloudflare.ts";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { type Bundle, bundleOf } from "../project/build.ts";
import { PROJECT } from "../project/project.ts";
import { COMPATIBILITY_DATE } from "../targets/local/processes/capnp.ts";
import {
  agentUpload,
  controlPlaneUpload,
  offlineModelUpload,
  type Upload,
} from "../targets/cloudflare/upload/upload.ts";

/** One Worker of `wrangler dev`. */
export interface DevWorker {
  readonly name: string;
  /** wrangler's configuration. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** Its module. Absent where wrangler builds it. */
  readonly bundle?: Pick<Bundle, "worker" | "path">;
}

interface Material {
  readonly bundles: ReadonlyMap<string, Bundle>;
  /** Process variable → value, for the agents. */
  readonly secrets: Readonly<Record<string, string>>;
  /** TROUPE_SECRET, and how traces are kept and forwarded. */
  readonly controlPlane: Readonly<Record<string, string>>;
}

/** The router is the first, since wrangler gives an address to the first alone. */
export function devWorkers(plan: Plan, { bundles, secrets, controlPlane }: Material): DevWorker[] {
  const account = plan.cloudflare ?? UNKNOWN_ACCOUNT;
  const [ofControlPlane, ofModel] = [bundleOf(bundles, "control-plane"), bundleOf(bundles, "offline-model")];
  const agents = plan.agents.map((agent) => {
    const bundle = bundleOf(bundles, agent.worker);
    return { id: agent.id, bundle, upload: agentUpload(plan, agent, account, { bundle, secrets }) };
  });
  const shared = controlPlaneUpload(account, ofControlPlane, { secrets: controlPlane, before: [] });
  return [
    router([
      { binding: "CONTROL_PLANE", service: shared.script },
      ...agents.map(({ id, upload }) => ({ binding: `AGENT_${id.toUpperCase()}`, service: upload.script })),
    ]),
    asDeployed(shared, ofControlPlane),
    asDeployed(offlineModelUpload(account, ofModel), ofModel),
    ...agents.map(({ upload, bundle }) => asDeployed(upload, bundle)),
  ];
}

function router(services: readonly { readonly binding: string; readonly service: string }[]): DevWorker {
  const name = "troupe-dev-router";
  const main = join(PROJECT, "workers/dev-router/index.ts");
  return { name, config: { name, main, compatibility_date: COMPATIBILITY_DATE, services }, secrets: {} };
}

function asDeployed({ script, config, secrets }: Upload, bundle: Bundle): DevWorker {
  return { name: script, config, secrets, bundle };
}
