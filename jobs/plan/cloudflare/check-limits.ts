// Whether a plan keeps within what Cloudflare allows. Pure.
import { AgentConfig } from "#shared/agent/config.ts";
import { addressesIn } from "#shared/http/reach.ts";
import { isPublicHost } from "#shared/tools/public-address.ts";

import { agentScript, UNKNOWN_ACCOUNT } from "../cloudflare.ts";
import type { Plan, PlannedAgent } from "../plan-shape.ts";
import { heartbeatRequestsPerDay } from "./cost.ts";
import { type Limit, LIMITS } from "./limits.ts";
import { questionOf } from "./question.ts";
import { bytesOf, variablesOf } from "./variables.ts";

export interface Finding {
  /** refused: Cloudflare takes it on no plan, or it could not work. warning: on Workers Free, or not for every question. */
  readonly kind: "refused" | "warning";
  readonly message: string;
  readonly hint: string;
}

/** What the plan does not hold. */
export interface AccountFacts {
  /** Worker → bytes of its module. One that is left out is not checked. */
  readonly moduleBytes: Readonly<Record<string, number>>;
  /** Workers of the account beside the job's own; undefined while nobody has asked. */
  readonly otherWorkers?: number;
}

/** Workers that the jobs of a namespace share, and classes of their objects. */
const SHARED = { workers: 2, objectClasses: 4 };
/** In each model call, at most: the call, its span's begin and end, and a reservation and a settlement where queries have a budget. */
const CALLS = { model: 1, tracing: 2, budget: 2 };
const PAY = "Use the plan Workers Paid";

/** Empty for a plan without agents on Cloudflare. */
export function checkLimits(plan: Plan, facts: AccountFacts): Finding[] {
  const agents = plan.agents.filter(({ target }) => target === "cloudflare");
  if (agents.length === 0) return [];
  return [
    ...checkNames(plan, agents),
    ...checkAccount(agents, facts),
    ...agents.flatMap((agent) => [...checkVariables(agent), ...checkAddresses(agent)]),
    ...checkModules(agents, facts),
    ...checkQuestion(plan),
    ...checkSubrequests(agents),
    ...checkHeartbeats(plan, agents.length),
  ];
}

function checkNames({ job, cloudflare }: Plan, agents: readonly PlannedAgent[]): Finding[] {
  return agents.flatMap(({ id }) => {
    const name = agentScript(cloudflare ?? UNKNOWN_ACCOUNT, job, id);
    const { paid } = LIMITS.nameCharacters;
    if (name.length <= paid) return [];
    return refused(
      `The Worker of ${id} would be named ${name}, which has ${name.length} characters; its address takes ${paid}.`,
      `Shorten the names of the job and the agent by ${name.length - paid} characters.`,
    );
  });
}

function checkAccount(agents: readonly PlannedAgent[], { otherWorkers }: AccountFacts): Finding[] {
  const workers = agents.length + (otherWorkers ?? SHARED.workers);
  const classes = SHARED.objectClasses + agents.reduce((sum, agent) => sum + classesOf(agent), 0);
  return [
    ...over(
      workers,
      LIMITS.workers,
      (most) => `With this job the account has ${workers} Workers, and ${most} are allowed`,
      "Delete Workers that nobody needs, or split the job over accounts.",
    ),
    ...over(
      classes,
      LIMITS.objectClasses,
      (most) => `This job and the control plane have ${classes} classes of objects, and an account may have ${most}`,
      "Use fewer agents, or split the job over accounts.",
    ),
  ];
}

function classesOf({ bindings }: PlannedAgent): number {
  return bindings.filter(({ type }) => type === "object").length;
}

function checkVariables({ id, bindings }: PlannedAgent): Finding[] {
  const variables = variablesOf(bindings);
  // And the one that says whose the Worker is.
  const count = Object.keys(variables).length + bindings.filter(({ type }) => type === "secret").length + 1;
  const { paid } = LIMITS.variableBytes;
  const large = Object.entries(variables).filter(([, value]) => bytesOf(value) > paid);
  return [
    ...over(
      count,
      LIMITS.variables,
      (most) => `The Worker of ${id} has ${count} variables, and ${most} are allowed`,
      "Give the agent fewer variables, or fewer agents to ask.",
    ),
    ...large.flatMap(([name, value]) =>
      refused(
        `The variable ${name} of ${id} has ${bytesOf(value)} bytes, and ${paid} are allowed.`,
        "Shorten it, or put the text into a document or into the agent's code.",
      ),
    ),
  ];
}

/** A Worker reaches public addresses alone. */
function checkAddresses({ id, bindings, https }: PlannedAgent): Finding[] {
  const found = configOf(bindings);
  const remotes = found?.peers.flatMap(({ remote }) => remote?.card ?? []) ?? [];
  const model = found?.model.provider === "anthropic" ? [found.model.baseUrl] : [];
  const hidden = addressesIn([found?.config, found?.pushAllow, remotes, model]).filter(
    (origin) => !isPublicHost(new URL(origin).hostname),
  );
  return [
    ...hidden.flatMap((origin) =>
      refused(
        `The agent ${id} needs ${origin}, which is a private address: a Worker on Cloudflare cannot reach it.`,
        "Give it a public address, or let the agent run on this machine or on a host.",
      ),
    ),
    ...(https === undefined
      ? []
      : refused(
          `The agent ${id} has an address with a certificate of its own: ${https.url}.`,
          "Remove its https: Cloudflare gives each agent an address over HTTPS.",
        )),
  ];
}

function checkModules(agents: readonly PlannedAgent[], { moduleBytes }: AccountFacts): Finding[] {
  const workers = [...new Set(agents.map(({ worker }) => worker))];
  return workers.flatMap((worker) => {
    const bytes = moduleBytes[worker] ?? 0;
    const { paid } = LIMITS.moduleBytes;
    if (bytes <= paid) return [];
    return refused(
      `The module of ${worker} has ${bytes} bytes, and ${paid} are allowed.`,
      "Use fewer or smaller packages, and keep data in documents.",
    );
  });
}

/** The page counts all calls. Nothing shows that Cloudflare refuses each that is beyond its count, so this is no refusal. */
function checkQuestion(plan: Plan): Finding[] {
  const { turns, invocations, widest } = questionOf(plan);
  const { paid } = LIMITS.invocations;
  if (invocations <= paid) return [];
  return [
    {
      kind: "warning",
      message: `A question for which each agent asks each of its peers once has ${turns} turns and ${invocations} invocations of Workers, and one request may have ${paid}. ${widest.agent} asks the most agents: ${widest.asks}.`,
      hint: "Let an agent ask fewer others for one question, or split the topology into jobs that ask each other as remote agents.",
    },
  ];
}

/** For a turn with all the model calls that its budget allows. */
function checkSubrequests(agents: readonly PlannedAgent[]): Finding[] {
  const [most] = agents
    .flatMap(({ id, bindings }) => {
      const found = configOf(bindings);
      return found === undefined ? [] : [{ id, calls: found.budget.maxTurns, subrequests: subrequestsOf(found) }];
    })
    .toSorted((one, other) => other.subrequests - one.subrequests);
  if (most === undefined) return [];
  const { id, calls, subrequests } = most;
  const { free, paid } = LIMITS.subrequests;
  if (subrequests <= free) return [];
  const allowed = subrequests > paid ? `${paid}` : `Workers Free allows ${free}`;
  return [
    {
      kind: "warning",
      message: `A turn of ${id} with all its ${calls} model calls makes about ${subrequests} subrequests; ${subrequests > paid ? `one request may make ${allowed}` : allowed}.`,
      hint: `${subrequests > paid ? "Lower" : `${PAY}, or lower`} budget.max_turns of the agent.`,
    },
  ];
}

function subrequestsOf({ budget, queryBudget, tracing, peers }: AgentConfig): number {
  const each = CALLS.model + (tracing.enabled ? CALLS.tracing : 0) + (queryBudget === null ? 0 : CALLS.budget);
  // Each peer's card, and a question.
  return budget.maxTurns * each + 2 * peers.length;
}

function checkHeartbeats({ heartbeat: { intervalMs } }: Plan, agents: number): Finding[] {
  const requests = Math.round(heartbeatRequestsPerDay(agents, intervalMs));
  const { free } = LIMITS.objectRequestsPerDay;
  if (requests <= free) return [];
  const least = Math.ceil(heartbeatRequestsPerDay(agents, 1_000) / free);
  return [
    {
      kind: "warning",
      message: `The heartbeats of ${agents} agents, one every ${intervalMs / 1_000} s, take ${requests} requests of objects a day, and Workers Free allows ${free} in all.`,
      hint: `${PAY}, or write heartbeat: { interval: ${Math.max(60, 2 * least)}s }.`,
    },
  ];
}

function configOf(bindings: PlannedAgent["bindings"]): AgentConfig | undefined {
  const binding = bindings.find(({ name }) => name === "AGENT");
  return AgentConfig.safeParse(binding?.type === "json" ? binding.value : undefined).data;
}

function over(count: number, { free, paid }: Limit, said: (most: string) => string, hint: string): Finding[] {
  if (count > paid) return refused(`${said(String(paid))}.`, hint);
  if (count > free) return [{ kind: "warning", message: `${said(String(free))} on Workers Free.`, hint: `${PAY}.` }];
  return [];
}

function refused(message: string, hint: string): Finding[] {
  return [{ kind: "refused", message, hint }];
}
