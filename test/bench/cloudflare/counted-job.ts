// A job as Cloudflare would run it, in workerd on this machine: its Workers as they would be uploaded, each of which counts.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Miniflare, type MiniflareOptions, NoOpLog } from "miniflare";
import * as z from "zod";

import { loadJob } from "#jobs/load.ts";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { planJob } from "#jobs/plan/plan.ts";
import { ownAgents } from "#jobs/schema/remote.ts";

import { prepareCorpus } from "../../../scripts/corpus/prepare.ts";
import { uploadCorpus } from "../../../scripts/corpus/upload.ts";
import { buildWorkers, bundleOf } from "../../../scripts/project/build.ts";
import { planEnvironment } from "../../../scripts/project/plan-environment.ts";
import { workerNames } from "../../../scripts/project/project.ts";
import { signedFor } from "../../../scripts/targets/local/state/command-line.ts";
import { ensureSigningKeys, secretValues, updateJobSecrets } from "../../../scripts/targets/local/state/secrets.ts";
import {
  agentUpload,
  controlPlaneUpload,
  offlineModelUpload,
  type Upload,
} from "../../../scripts/targets/cloudflare/upload/upload.ts";
import { SILENT_IO } from "../../support/deployment.ts";
import { COUNTS_PATH, Counts, countingModule } from "./counting.ts";

type Served = MiniflareOptions["workers"][number];
type Bindings = NonNullable<Served["config"]["env"]>;

/** What is read here of wrangler's configuration. */
const Config = z.object({
  vars: z.record(z.string(), z.json()),
  services: z.array(z.object({ binding: z.string(), service: z.string(), props: z.record(z.string(), z.json()) })),
  durable_objects: z.object({ bindings: z.array(z.object({ name: z.string(), class_name: z.string() })) }),
  compatibility_date: z.string(),
  compatibility_flags: z.array(z.string()),
});

const ACCOUNT = {
  id: "0".repeat(32),
  credentials: { url: "", token: "" },
  namespace: "troupe",
  subdomain: "bench",
};
const SECRET = "a secret of the measured control plane";

export class CountedJob implements AsyncDisposable {
  readonly plan: Plan;
  readonly #miniflare: Miniflare;
  readonly #scripts: readonly string[];
  readonly #send: typeof fetch;

  private constructor(plan: Plan, miniflare: Miniflare, scripts: readonly string[], send: typeof fetch) {
    [this.plan, this.#miniflare, this.#scripts, this.#send] = [plan, miniflare, scripts, send];
  }

  /** Resolves once the agents are registered, and have their documents. `text`: of the job file. */
  static async start(text: string): Promise<CountedJob> {
    const folder = await mkdtemp(join(tmpdir(), "troupe-counted-"));
    try {
      const { bundles } = await buildWorkers(folder);
      const known = { workers: await workerNames(), variables: new Set<string>() };
      const loaded = loadJob(text, "job.yaml", { ...known, placement: { target: "cloudflare" } });
      if ("mistakes" in loaded) throw new Error(loaded.mistakes.map(({ message }) => message).join("\n"));
      const { job } = loaded;
      const path = join(folder, "secrets.json");
      const publicKeys = await ensureSigningKeys(
        path,
        ownAgents(job.agents).map(({ id }) => id),
      );
      const placement = { target: "cloudflare" };
      const plan = planJob(job, { ...planEnvironment(bundles, {}, {}), publicKeys, placement, cloudflare: ACCOUNT });
      const jobSecrets = await updateJobSecrets(path, plan.secrets);
      const secrets = secretValues(plan.agents, jobSecrets, { job: plan.job, controlPlane: SECRET });
      const uploads = [
        controlPlaneUpload(ACCOUNT, bundleOf(bundles, "control-plane"), {
          secrets: { TROUPE_SECRET: SECRET },
          before: [],
        }),
        offlineModelUpload(ACCOUNT, bundleOf(bundles, "offline-model")),
        ...plan.agents.map((agent) =>
          agentUpload(plan, agent, ACCOUNT, {
            bundle: bundleOf(bundles, agent.worker),
            secrets,
          }),
        ),
      ];
      const miniflare = new Miniflare({
        host: "127.0.0.1",
        port: 0,
        log: new NoOpLog(),
        cf: false,
        enableDevRegistry: false,
        telemetry: { enabled: false },
        workers: await Promise.all(uploads.map(served)),
      });
      await miniflare.ready;
      const send: typeof fetch = async (input, init) => {
        const url = new URL(input instanceof Request ? input.url : input);
        const script = url.hostname.split(".")[0] ?? "";
        const direct = await miniflare.unsafeGetDirectURL(script);
        return fetch(new URL(url.pathname + url.search, direct), init);
      };
      const scripts = uploads.map(({ script }) => script);
      const counted = new CountedJob(plan, miniflare, scripts, async (input, init) => {
        const url = new URL(input instanceof Request ? input.url : input);
        return signedFor(plan, jobSecrets, url.origin, send)(input, init);
      });
      for (const { url } of plan.agents) await (await send(`${url}/health`)).text();
      const { assignments } = await prepareCorpus(
        plan,
        { typed: undefined, last: undefined, file: "job.yaml" },
        SILENT_IO,
      );
      for (const assignment of assignments) await uploadCorpus(assignment, counted.#send, SILENT_IO);
      return counted;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async ask(text: string): Promise<string> {
    const entry = this.plan.agents.find(({ id }) => id === this.plan.entryPoint);
    const response = await this.#send(`${entry?.url}/message:send`, {
      method: "POST",
      headers: { "content-type": "application/json", "a2a-version": "1.0" },
      body: JSON.stringify({ message: { messageId: crypto.randomUUID(), role: "ROLE_USER", parts: [{ text }] } }),
    });
    if (!response.ok) throw new Error(`The question was refused: ${response.status} ${await response.text()}`);
    return response.text();
  }

  /** By Worker. */
  async counts(): Promise<Record<string, Counts>> {
    const each = this.#scripts.map(async (script): Promise<[string, Counts]> => {
      const url = new URL(COUNTS_PATH, await this.#miniflare.unsafeGetDirectURL(script));
      return [script, Counts.parse(await (await fetch(url)).json())];
    });
    return Object.fromEntries(await Promise.all(each));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#miniflare.dispose();
  }
}

async function served({ script, bundle, config, secrets }: Upload): Promise<Served> {
  const { vars, services, durable_objects: objects, ...known } = Config.parse(config);
  const classes = objects.bindings.map(({ class_name }) => class_name);
  const code = await readFile(bundle.path, "utf8");
  const variables = Object.entries({ ...vars, ...secrets }).map(([name, value]): [string, Bindings[string]] => [
    name,
    typeof value === "string" ? { type: "text", value } : { type: "json", value },
  ]);
  return {
    config: {
      name: script,
      compatibilityDate: known.compatibility_date,
      compatibilityFlags: known.compatibility_flags,
      manifest: {
        mainModule: "counting.js",
        modules: {
          "counting.js": { type: "esm", contents: countingModule(classes) },
          "index.js": { type: "esm", contents: code },
        },
      },
      env: {
        ...Object.fromEntries(variables),
        ...Object.fromEntries(
          services.map(({ binding, service, props }) => [binding, { type: "worker", worker: service, props }]),
        ),
        ...Object.fromEntries(
          objects.bindings.map(({ name, class_name }) => [
            name,
            { type: "durable-object", worker: script, exportName: class_name },
          ]),
        ),
      },
      exports: Object.fromEntries(classes.map((name) => [name, { type: "durable-object", storage: "sqlite" }])),
    },
    dev: { unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }], unsafeRegisterWorker: false },
  };
}
