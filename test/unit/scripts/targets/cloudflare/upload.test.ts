// A plan's agent → wrangler's configuration of its Worker.
import { expect, test } from "vitest";
import * as z from "zod";

import { loadJob } from "#jobs/load.ts";
import { planJob } from "#jobs/plan/plan.ts";

import { agentUpload } from "../../../../../scripts/targets/cloudflare/upload/upload.ts";

const ACCOUNT = { id: "a", namespace: "ours", subdomain: "acme", credentials: { url: "", token: "" } };
const BUNDLE = { worker: "searcher", entry: "", path: "/index.js", objects: [], inputs: [], hash: "hash" };
const Config = z.looseObject({
  name: z.string(),
  vars: z.looseObject({ AGENT: z.looseObject({ url: z.string(), accounts: z.string() }) }),
  services: z.array(z.object({ binding: z.string(), service: z.string(), props: z.unknown() })),
});

function uploadOf(agent: string, { secret = "secret", text = "" } = {}) {
  const file = `name: team
agents: [{ id: asker, worker: searcher, config: { corpus: false } }, { id: fact_checker, worker: searcher, env: { KEY: "\${KEY}", TEXT: "${text}" } }]
topology: { type: mesh }
execution: { entry_point: asker }
deployment: { target: cloudflare }
`;
  const loaded = loadJob(file, "job.yaml", { workers: ["searcher"], variables: new Set(["KEY"]) });
  if ("mistakes" in loaded) throw new Error(loaded.mistakes[0]?.message);
  const plan = planJob(loaded.job, {
    hasAnthropicKey: false,
    ports: {},
    objects: { searcher: ["Session"] },
    cloudflare: ACCOUNT,
  });
  const planned = plan.agents.find(({ id }) => id === agent);
  if (planned === undefined) throw new Error(`There is no agent ${agent}`);
  return agentUpload(plan, planned, ACCOUNT, { bundle: BUNDLE, secrets: { FACT_CHECKER__KEY: secret } });
}

test("an agent binds its peers, the control plane and the offline model, and trusts these bindings", () => {
  const { config, bindsTo } = uploadOf("asker");
  const { name, services, vars } = Config.parse(config);
  expect(name).toBe("ours-team-asker");
  expect(vars).toMatchObject({
    AGENT: { url: "https://ours-team-asker.acme.workers.dev", accounts: "required" },
    TROUPE_OWNER: "ours/team/asker",
  });
  expect(services).toEqual([
    { binding: "CONTROL_PLANE", service: "ours-control-plane", props: { via: "binding" } },
    { binding: "MODEL", service: "ours-offline-model", props: { via: "binding" } },
    { binding: "PEER_FACT_CHECKER", service: "ours-team-fact-checker", props: { via: "binding" } },
  ]);
  expect(bindsTo).toEqual(services.map(({ service }) => service));
});

test("secrets are no part of the configuration, and a changed one changes the print", () => {
  const upload = uploadOf("fact_checker", { secret: "hush" });
  expect(upload.secrets).toMatchObject({ KEY: "hush" });
  expect(JSON.stringify([upload.config, upload.print])).not.toContain("hush");
  const prints = [upload, uploadOf("fact_checker", { secret: "hush" }), uploadOf("fact_checker")];
  expect(prints.map(({ print }) => print === upload.print)).toEqual([true, true, false]);
});

test("a variable that changes, changes the print of its agent alone", () => {
  expect(uploadOf("fact_checker", { text: "other" }).print).not.toBe(uploadOf("fact_checker").print);
  expect(uploadOf("asker", { text: "other" }).print).toBe(uploadOf("asker").print);
});
