// The job that the crash harness kills: the research assistant with slow tools, a paced offline model, a tool that has to be
// approved, and a budget that is never reached, so that there is an account.
import { join } from "node:path";

import * as z from "zod";

import { type ControlPlane, findControlPlane } from "../../../scripts/targets/local/control-plane/control-plane.ts";
import { jobLayout } from "../../../scripts/targets/local/state/layout.ts";
import { jobToken, readJobSecrets } from "../../../scripts/targets/local/state/secrets.ts";
import { type RunningProcess, runningProcesses } from "../../../scripts/targets/local/processes/processes.ts";
import type { Deployment } from "../../support/deployment.ts";
import { Status } from "../shapes.ts";
import { slowRelease } from "./slow-release.ts";

export type Isolation = "job" | "agent";

export interface Kind {
  readonly isolation: Isolation;
  /** Whether its supervisors bring killed processes back, or the harness. */
  readonly supervised: boolean;
}

/** Asked about each time. */
export const ASKED = "verify_claim";

export const AGENTS: ReadonlySet<string> = new Set(["coordinator", "searcher", "summarizer", "fact_checker"]);

export function nameOf(isolation: Isolation): string {
  return `crash-${isolation}`;
}

function jobFile(name: string, isolation: Isolation, supervised: boolean): string {
  return `name: ${name}
agents:
  - { id: coordinator, budget: { max_turns: 1000 } }
  - { id: searcher, budget: { max_turns: 1000 } }
  - { id: summarizer, budget: { max_turns: 1000 } }
  - { id: fact_checker, budget: { max_turns: 1000 }, permissions: { ask: [${ASKED}] } }
topology: { type: hub-spoke, hub: coordinator, spokes: [searcher, summarizer, fact_checker] }
isolation: ${isolation}
deployment: { restart: ${supervised ? "on-failure" : "never"} }
model:
  provider: offline
  offline: { ttft: 20ms, tokens_per_second: 4000 }
budget: { max_turns: 100000, max_tokens: 100000000, max_usd: 1000, max_tool_calls: 100000 }
`;
}

const Amounts = z.object({ turns: z.number(), tokens: z.number(), usd: z.number(), toolCalls: z.number() });
const Account = z.object({
  exhausted: z.unknown(),
  states: z.object({ settled: Amounts, open: Amounts, cut: Amounts }),
  waiting: z.number(),
});
export type Account = z.infer<typeof Account>;

export class CrashJob {
  readonly name: string;
  readonly isolation: Isolation;
  readonly supervised: boolean;
  readonly deployment: Deployment;
  /** The agents' key, of which ids are made. */
  readonly key: string;
  /** Origin of the agent that takes the questions. */
  readonly url: string;

  private constructor(parts: Pick<CrashJob, "name" | "isolation" | "supervised" | "deployment" | "key" | "url">) {
    this.name = parts.name;
    this.isolation = parts.isolation;
    this.supervised = parts.supervised;
    this.deployment = parts.deployment;
    this.key = parts.key;
    this.url = parts.url;
  }

  /** Deploys it; its tools tell `recorderUrl` when they run. */
  static async deploy({ isolation, supervised }: Kind, deployment: Deployment, recorderUrl: string): Promise<CrashJob> {
    const name = nameOf(isolation);
    await deployment.succeed("deploy", await deployment.write(`${name}.yaml`, jobFile(name, isolation, supervised)));
    const home = join(deployment.home, ".troupe");
    await slowRelease(home, name, recorderUrl);
    await deployment.succeed("restart", name);
    const { agents } = Status.parse(await deployment.json("status", name));
    const url = agents.find(({ id }) => id === "coordinator")?.url ?? "";
    const secrets = await readJobSecrets(jobLayout(home, name).secrets);
    return new CrashJob({ name, isolation, supervised, deployment, url, key: secrets?.key ?? "" });
  }

  /** The folder of deployment state. */
  get home(): string {
    return join(this.deployment.home, ".troupe");
  }

  /** Where the sessions of each agent lie. */
  get sessionFolders(): { readonly agent: string; readonly folder: string }[] {
    const { data } = jobLayout(this.home, this.name);
    return [...AGENTS].map((agent) => ({ agent, folder: join(data, agent, `agent-${agent}-Session`) }));
  }

  async processes(): Promise<RunningProcess[]> {
    return runningProcesses(this.home, this.name);
  }

  /** What the control plane has on a query's account. */
  async account(query: string): Promise<Account> {
    const controlPlane = await findControlPlane(this.home);
    if (!controlPlane) throw new Error("The control plane does not run.");
    return accountOf(controlPlane, this.name, query);
  }
}

/** What a control plane has on a query's account. */
export async function accountOf({ url, secret }: ControlPlane, job: string, query: string): Promise<Account> {
  const response = await fetch(`${url}/v1/budgets/${encodeURIComponent(query)}`, {
    headers: { authorization: `Bearer ${jobToken(secret, job)}` },
  });
  if (!response.ok) throw new Error(`The account of ${query}: ${response.status} ${await response.text()}`);
  return Account.parse(await response.json());
}
