// Deployments of 4, 11 and 30 agents to an account on this machine, beside as many bare `wrangler deploy`.
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { buildWorkers, bundleOf } from "../../scripts/project/build.ts";
import { inParallel } from "../../scripts/targets/cloudflare/upload/in-parallel.ts";
import { type CloudflareEmulator, startCloudflare } from "../support/cloudflare/emulator.ts";
import { wrangler } from "../support/cloudflare/wrangler.ts";
import { Deployment } from "../support/deployment.ts";
import { aims } from "./aims.ts";
import { fixed, table } from "./table.ts";
import { teamFile } from "./team-file.ts";

const JOB = "measured";
const SIZES = [4, 11, 30];
const REST = "deployment: { target: cloudflare, timeout: 120s }";

interface Measured {
  readonly agents: number;
  /** Seconds. */
  readonly first: number;
  readonly unchanged: number;
  readonly changed: number;
  readonly back: number;
  /** The same number of Workers by wrangler alone. */
  readonly bare: number;
  /** Again, with other contents. */
  readonly bareAgain: number;
}

export async function cloudflare(): Promise<void> {
  const all: Measured[] = [];
  for (const agents of SIZES) all.push(await measure(agents));
  const rows = all.map(({ agents, first, unchanged, changed, back, bare, bareAgain }) =>
    [agents, ...[first, unchanged, changed, back, bare, bareAgain].map((seconds) => fixed(seconds, 1))].map(String),
  );
  console.log(
    table(["agents", "first s", "unchanged s", "one changed s", "rollback s", "bare s", "bare again s"], rows),
  );
  const eleven = all.filter(({ agents }) => agents === 11);
  console.log(
    aims([
      {
        what: "first deployment of 11 / bare wrangler",
        most: 1.3,
        values: eleven.map(({ first, bare }) => first / bare),
      },
      { what: "unchanged, slowest, s", most: 2, values: [Math.max(...all.map(({ unchanged }) => unchanged))] },
      { what: "rollback of 11, s", most: 10, values: eleven.map(({ back }) => back) },
    ]),
  );
}

async function measure(agents: number): Promise<Measured> {
  const bare = await measureBare(agents);
  await using account = await startCloudflare();
  const deployment = await Deployment.create(account.environment);
  try {
    const file = await deployment.write("job.yaml", teamFile(JOB, { agents, maxTurns: 20, rest: REST }));
    const other = await deployment.write("changed.yaml", teamFile(JOB, { agents, maxTurns: 21, rest: REST }));
    const seconds = async (...args: string[]) => timed(async () => deployment.succeed(...args));
    // The control plane is there for all jobs, and no bare deployment has one.
    await deployment.succeed(
      "deploy",
      await deployment.write(
        "one.yaml",
        `name: one\nagents: [{ id: searcher }]\ntopology: { type: mesh }\nexecution: { entry_point: searcher }\n${REST}\n`,
      ),
    );
    const first = await seconds("deploy", file);
    const unchanged = await seconds("deploy", file);
    const changed = await seconds("deploy", other);
    // All Workers differ from those of the release before.
    const all = teamFile(JOB, { agents, maxTurns: 22, rest: `${REST}\nenvironment: { RELEASE: "2" }` });
    await deployment.succeed("deploy", await deployment.write("all.yaml", all));
    return { agents, first, unchanged, changed, back: await seconds("rollback", JOB), ...bare };
  } finally {
    await deployment.close({ unchecked: true });
  }
}

/** One bundle, uploaded under as many names, four at a time. */
async function measureBare(agents: number): Promise<{ readonly bare: number; readonly bareAgain: number }> {
  await using account = await startCloudflare();
  const home = await mkdtemp(join(tmpdir(), "troupe-bare-"));
  try {
    const { bundles } = await buildWorkers(home);
    const bundle = bundleOf(bundles, "searcher");
    const folders = Array.from({ length: agents }, (_, index) => join(home, `worker-${index}`));
    const bare = await timed(async () => upload(account, folders, bundle, "1"));
    return { bare, bareAgain: await timed(async () => upload(account, folders, bundle, "2")) };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function upload(
  account: CloudflareEmulator,
  folders: readonly string[],
  { path, objects }: { readonly path: string; readonly objects: readonly string[] },
  release: string,
): Promise<void> {
  await inParallel([...folders.entries()], async ([index, folder]) => {
    await mkdir(folder, { recursive: true });
    await cp(path, join(folder, "index.js"));
    const config = {
      name: `bare-${index}`,
      main: "index.js",
      no_bundle: true,
      compatibility_date: "2026-10-15",
      compatibility_flags: ["nodejs_compat"],
      vars: { RELEASE: release },
      durable_objects: { bindings: objects.map((name) => ({ name: name.toUpperCase(), class_name: name })) },
      migrations: [{ tag: "v1", new_sqlite_classes: objects }],
    };
    await writeFile(join(folder, "wrangler.json"), JSON.stringify(config));
    const { code, errors } = await wrangler(account, folder, ["deploy", "--config", "wrangler.json"]);
    if (code !== 0) throw new Error(errors);
  });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}
