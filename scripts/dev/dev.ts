// Runs a job under one `wrangler dev` until it is interrupted: its Workers as on Cloudflare, built again when a source is saved.
import { rm } from "node:fs/promises";

import type { Plan } from "#jobs/plan/plan-shape.ts";
import { uploadCorpus } from "../corpus/upload.ts";
import { checkAgents } from "../inspection/check-agents.ts";
import type { JobFile } from "../jobs/job-files.ts";
import { writeFileAtomically } from "../project/atomic-file.ts";
import { shown, troupeHome } from "../project/project.ts";
import { waitUntilHealthy } from "../targets/local/processes/health.ts";
import { isTaken } from "../targets/local/processes/ports.ts";
import { LockedError, withLock } from "../targets/local/state/lock.ts";
import { PRIVATE } from "../targets/local/state/secrets.ts";
import { CliError } from "../terminal/cli-error.ts";
import { troupe } from "../terminal/hint.ts";
import type { Io } from "../terminal/io.ts";
import { manyLines } from "../terminal/terminal-text.ts";
import { describeAddresses } from "./addresses.ts";
import { type DevLayout, devLayout } from "./layout.ts";
import { refusePlaces } from "./places.ts";
import { prepare } from "./prepare.ts";
import { routerFetch } from "./router-fetch.ts";
import { rebuildSaved } from "./sources.ts";
import { WranglerDev } from "./wrangler-dev.ts";

/** wrangler starts all Workers at once. */
const START_MS = 120_000;

/** Resolves at a signal to this command, when all has ended. Throws CliError. */
export async function runDev(file: JobFile, port: number, io: Io): Promise<void> {
  const { name } = file.job;
  refusePlaces(file.job);
  const home = troupeHome();
  const layout = devLayout(home, name);
  try {
    await withLock(layout.lock, { patienceMs: 0, signal: io.signal }, async () =>
      run(file, { home, layout, port }, io),
    );
  } catch (error) {
    if (!(error instanceof LockedError)) throw error;
    throw new CliError("failed", `${name} runs under wrangler dev already (process ${error.pid}).`, "End it first.");
  }
}

interface Surroundings {
  readonly home: string;
  readonly layout: DevLayout;
  readonly port: number;
}

async function run(file: JobFile, { home, layout, port }: Surroundings, io: Io): Promise<void> {
  if (await isTaken(port)) {
    const other = troupe`dev ${file.job.name} --port ${String(port + 1)}`;
    throw new CliError("failed", `Port ${port} is in use by another program.`, `Take another one: ${other}`);
  }
  const origin = `http://localhost:${port}`;
  const { plan, workers, bundles, corpora, secrets, token } = await prepare(file, { home, layout, origin }, io);
  const say = (text: string) => io.note(manyLines(text));
  say(`Starting ${plan.agents.length} agents under wrangler dev …`);
  await using wrangler = await WranglerDev.start(workers, { port, data: layout.data, say });
  await untilHealthy(plan, wrangler, io.signal);
  for (const corpus of corpora) await uploadCorpus(corpus, routerFetch(plan, secrets, corpus.agent.url), io);
  await writeFileAtomically(layout.token, token, PRIVATE);
  try {
    io.print(describeAddresses(plan, { origin, token: shown(layout.token) }));
    await rebuildSaved({
      bundles,
      folder: layout.folder,
      check: async (built) => checkAgents(home, file, built, io.signal),
      onBuilt: async (fresh) => {
        say(`Built again: ${fresh.map(({ worker }) => worker).join(", ") || "as it was"}`);
        await wrangler.replace(fresh);
      },
      onMistakes: say,
      signal: AbortSignal.any([wrangler.ended, io.signal]),
    });
  } finally {
    await rm(layout.token, { force: true });
  }
  if (!io.signal.aborted) throw wrangler.failure();
}

async function untilHealthy({ agents, health }: Plan, wrangler: WranglerDev, signal: AbortSignal): Promise<void> {
  const { intervalMs, lookMs } = health;
  for (const { id, url } of agents) {
    const wait = { timeoutMs: START_MS, intervalMs, lookMs, ended: wrangler.ended, signal };
    const found = await waitUntilHealthy(url, wait);
    if (found === "ended") throw wrangler.failure();
    if (found === "late") throw new CliError("failed", `The agent ${id} does not answer at ${url}.`);
  }
}
