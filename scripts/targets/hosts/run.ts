// Starts the processes of a release on their hosts, stage by stage, and ends them.
import { setTimeout as delay } from "node:timers/promises";
import type { Plan, PlannedAgent } from "#jobs/plan/plan-shape.ts";
import { formatTraceparent } from "#shared/tracing/trace-context.ts";
import { GEN_AI, OPERATION, SPAN, TROUPE } from "#shared/tracing/names.ts";

import { CliError } from "../../terminal/cli-error.ts";
import type { Io } from "../../terminal/io.ts";
import { CONTROL_PLANE, OFFLINE_MODEL } from "../local/control-plane/worker-configs.ts";
import type { DeploySpan } from "../local/deploy-trace.ts";
import { processesOf } from "../local/processes/job-config.ts";
import { isHealthy, waitUntilHealthy } from "../local/processes/health.ts";
import { machineAt, placeOf } from "./job-machines.ts";
import type { Machine } from "./machine/machine.ts";
import { reach } from "./reach.ts";

export interface HostsRun {
  readonly plan: Plan;
  readonly release: number;
  readonly controlPlanePort: number;
  /** Place → where workerd lies there. */
  readonly workerd: ReadonlyMap<string, string>;
  readonly io: Io;
  /** Span of the deployment's stage in which the processes start. */
  readonly span: DeploySpan;
}

/** The processes of a plan at one of its places. */
export function processNames(plan: Plan, place: string): string[] {
  const agents = plan.agents.filter((agent) => agent.place === place);
  return [
    ...(plan.controlPlane.place === place ? [CONTROL_PLANE] : []),
    ...(agents.some(usesModel) ? [OFFLINE_MODEL] : []),
    ...(agents.length === 0 ? [] : processesOf({ ...plan, agents }).map(({ name }) => name)),
  ];
}

function usesModel({ bindings }: PlannedAgent): boolean {
  return bindings.some((item) => item.type === "service" && item.service.to === "offline-model");
}

/** Starts all processes and waits until each agent is healthy. Where one is late, ends them all and throws CliError. */
export async function startOnHosts(run: HostsRun): Promise<void> {
  const { plan, io } = run;
  const deadline = Date.now() + plan.health.timeoutMs;
  try {
    await startShared(run, deadline);
    const started = new Set<string>();
    for (const [index, stage] of plan.stages.entries()) {
      const begunMs = Date.now();
      const agents = plan.agents.filter(({ id }) => stage.includes(id));
      for (const { place, name } of distinct(agents.map((agent) => processOf(plan, agent)))) {
        if (started.has(`${place} ${name}`)) continue;
        started.add(`${place} ${name}`);
        await startOne(run, place, name);
      }
      await Promise.all(
        agents.map(async (agent) => {
          const attributes = {
            [GEN_AI.operation]: OPERATION.createAgent,
            [GEN_AI.agentName]: agent.id,
            [TROUPE.process]: processOf(plan, agent).name,
            [TROUPE.stage]: index + 1,
          };
          const wait = async ({ context }: DeploySpan) =>
            healthy(
              run,
              { ...processOf(plan, agent), what: `The agent ${agent.id}`, port: agent.socket.port },
              deadline,
              formatTraceparent(context),
            );
          await run.span.within(SPAN.startAgent(agent.id), attributes, wait, begunMs);
        }),
      );
    }
    await eachMachine(plan, io.signal, async (machine) => machine.markHealthy(processNames(plan, machine.id)));
  } catch (error) {
    const uninterrupted = new AbortController().signal;
    await eachMachine(plan, uninterrupted, async (machine) => machine.stop(processNames(plan, machine.id)));
    throw io.signal.aborted ? new CliError("interrupted", "Interrupted; the job does not run.") : error;
  }
}

/** Ends the job's processes after its agents have sent their spans. Resolves to whether any ran. */
export async function stopOnHosts(plan: Plan, signal: AbortSignal): Promise<boolean> {
  await Promise.all(
    plan.agents.map(async ({ place, socket }) => {
      const url = await reach(placeOf(plan, place), socket.port, signal);
      await isHealthy(url, FLUSH_MS, { flush: true });
    }),
  );
  const ran = await eachMachine(plan, signal, async (machine) => machine.stop(processNames(plan, machine.id)));
  return ran.some(Boolean);
}

const FLUSH_MS = 1_000;
const LOOK_MS = 500;

export async function eachMachine<Result>(
  plan: Plan,
  signal: AbortSignal,
  work: (machine: Machine) => Promise<Result>,
): Promise<Result[]> {
  return Promise.all(plan.places.map(async (place) => work(await machineAt(place, plan.job, signal))));
}

async function startShared(run: HostsRun, deadline: number): Promise<void> {
  const { plan, controlPlanePort } = run;
  const place = plan.controlPlane.place;
  await startOne(run, place, CONTROL_PLANE);
  await Promise.all(
    plan.places
      .filter(({ id }) => processNames(plan, id).includes(OFFLINE_MODEL))
      .map(async ({ id }) => startOne(run, id, OFFLINE_MODEL)),
  );
  await healthy(run, { place, name: CONTROL_PLANE, what: "The control plane", port: controlPlanePort }, deadline);
}

interface Process {
  readonly place: string;
  readonly name: string;
}

function processOf(plan: Plan, { id, place }: PlannedAgent): Process {
  const agents = plan.agents.filter((agent) => agent.place === place);
  const process = processesOf({ ...plan, agents }).find((candidate) =>
    candidate.agents.some((agent) => agent.id === id),
  );
  return { place, name: process?.name ?? id };
}

function distinct(processes: readonly Process[]): Process[] {
  return [...new Map(processes.map((process) => [`${process.place} ${process.name}`, process])).values()];
}

async function startOne({ plan, release, workerd, io }: HostsRun, place: string, name: string): Promise<void> {
  const machine = await machineAt(placeOf(plan, place), plan.job, io.signal);
  await machine.start(name, { release, workerd: workerd.get(place) ?? "", restart: plan.restart });
}

interface Listener extends Process {
  readonly what: string;
  readonly port: number;
}

async function healthy(
  { plan, io }: HostsRun,
  { place: id, name, what, port }: Listener,
  deadline: number,
  traceparent?: string,
): Promise<void> {
  const place = placeOf(plan, id);
  const machine = await machineAt(place, plan.job, io.signal);
  const url = await reach(place, port, io.signal);
  const over = new AbortController();
  const ended = new AbortController();
  void watch(machine, name, over.signal, ended);
  const wait = {
    ...plan.health,
    timeoutMs: Math.max(0, deadline - Date.now()),
    ended: ended.signal,
    signal: io.signal,
    ...(traceparent === undefined ? {} : { traceparent }),
  };
  const health = await waitUntilHealthy(url, wait).finally(() => over.abort());
  if (health === "healthy") return;
  const [own] = await machine.processes([name]);
  const why =
    health === "late"
      ? `${what} on ${id} was not healthy within ${plan.health.timeoutMs / 1000} s.`
      : `${what} on ${id} did not start: ${own?.lastEnd?.reason ?? "its process has ended"}.`;
  const last = (await machine.logs(LAST_LINES)).filter(([process]) => process === name).map(([, line]) => line);
  throw new CliError("failed", why, last.length === 0 ? "" : `The end of its log:\n${last.join("\n")}`);
}

const LAST_LINES = 5;

/** Aborts `ended` when the process ends before it was healthy. */
async function watch(machine: Machine, name: string, over: AbortSignal, ended: AbortController): Promise<void> {
  while (!over.aborted) {
    await delay(LOOK_MS);
    const [own] = await machine.processes([name]).catch(() => []);
    if (own?.state === "dead" || own?.state === "failed") ended.abort();
  }
}
