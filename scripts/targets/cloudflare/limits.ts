// Holds a plan against Cloudflare's limits: what it would be refused for, before anything is uploaded.
import { stat } from "node:fs/promises";
import * as z from "zod";

import { checkLimits, type Finding } from "#jobs/plan/cloudflare/check-limits.ts";
import { agentScript } from "#jobs/plan/cloudflare.ts";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import type { Bundle } from "../../project/build.ts";
import { CliError } from "../../terminal/cli-error.ts";
import type { Io } from "../../terminal/io.ts";
import { manyLines } from "../../terminal/terminal-text.ts";
import type { Account } from "./account/account.ts";
import { read } from "./account/api.ts";

const Scripts = z.array(z.object({ id: z.string() }));

type Bundles = ReadonlyMap<string, Pick<Bundle, "path">>;

/** `otherWorkers`: of the account, beside the job's; undefined while nobody has asked. */
export async function limitFindings(plan: Plan, bundles: Bundles, otherWorkers?: number): Promise<Finding[]> {
  const sizes = [...bundles].map(async ([worker, { path }]) => [worker, (await stat(path)).size] as const);
  const moduleBytes = Object.fromEntries(await Promise.all(sizes));
  return checkLimits(plan, { moduleBytes, ...(otherWorkers === undefined ? {} : { otherWorkers }) });
}

/** Notes what may become too much. Throws CliError for what Cloudflare would refuse. */
export async function keepWithinLimits(
  plan: Plan,
  { account, bundles, io }: { readonly account: Account; readonly bundles: Bundles; readonly io: Io },
): Promise<void> {
  const findings = await limitFindings(plan, bundles, await otherWorkers(plan, account, io.signal));
  for (const { kind, message, hint } of findings) if (kind === "warning") io.note(manyLines(`${message} ${hint}`));
  const refused = findings.filter(({ kind }) => kind === "refused");
  if (refused.length === 0) return;
  throw new CliError(
    "bad_input",
    refused.map(({ message }) => message).join("\n"),
    [...new Set(refused.map(({ hint }) => hint))].join("\n"),
  );
}

async function otherWorkers(plan: Plan, account: Account, signal: AbortSignal): Promise<number> {
  const scripts = (await read(account.credentials, `/accounts/${account.id}/workers/scripts`, Scripts, signal)) ?? [];
  const own = new Set(plan.agents.map(({ id }) => agentScript(account, plan.job, id)));
  return scripts.filter(({ id }) => !own.has(id)).length;
}
