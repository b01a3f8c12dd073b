// Starts the processes of a release on its machines, stage by stage, and waits for them.
import { setTimeout as delay } from "node:timers/promises";
import { placeOf } from "#jobs/placement/place.ts";
import type { Plan, PlannedAgent } from "#jobs/plan/plan-shape.ts";
import { formatTraceparent } from "#shared/tracing/trace-context.ts";
import { GEN_AI, OPERATION, SPAN, TROUPE } from "#shared/tracing/names.ts";

import { CliError } from "../../terminal/cli-error.ts";
import type { Io } from "../../terminal/io.ts";
import { CONTROL_PLANE, OFFLINE_MODEL } from "../local/control-plane/worker-configs.ts";
import type { DeploySpan } from "../local/deploy-trace.ts";
import { processesOf } from "../local/processes/job-config.ts";
import { isHealthy, waitUntilHealthy } from "../local/processes/health.ts";
import type { Machine } from "./machine/machine.ts";
import { reach } from "./reach.ts";
import { holdTunnels } from "./tunnels/holder.ts";

/** Place → its machine. */
export type Machines = ReadonlyMap<string, Machine>;

export interface HostsRun {
  readonly plan: Plan;
  readonly machines: Machines;
  readonly release: number;
  readonly controlPlanePort: number;
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

/** The process in which an agent runs. */
export function processOf(plan: Plan, { id, place }: PlannedAgent): string {
  const agents = plan.agents.filter((agent) => agent.place === place);
  const all = processesOf({ ...plan, agents });
  return all.find((process) => process.agents.some((agent) => agent.id === id))?.name ?? id;
}

/** Starts all processes, stage by stage, each when the stage before is healthy; before them, the tunnels. Throws CliError where one is late. */
export async function startStages(unwatched: HostsRun): Promise<void> {
  await using ends = new Ends(unwatched.machines);
  const run = { ...unwatched, ends };
  const { plan } = run;
  await holdTunnels(run, run.io.signal);
  const deadline = deadlineOf(plan);
  const started = new Set<string>();
  const startAt = async (place: string, names: readonly string[]) => {
    const fresh = names.filter((name) => !started.has(`${place} ${name}`));
    for (const name of fresh) started.add(`${place} ${name}`);
    if (fresh.length > 0) await machineOf(run, place).start(run.release, fresh);
  };
  await Promise.all(
    plan.places.map(async ({ id }) =>
      startAt(
        id,
        processNames(plan, id).filter((name) => SHARED.includes(name)),
      ),
    ),
  );
  await controlPlaneHealthy(run, deadline);
  for (const index of plan.stages.keys()) {
    const agents = agentsOf(plan, index);
    const begunMs = Date.now();
    await Promise.all(
      plan.places.map(async ({ id }) => {
        const here = agents.filter(({ place }) => place === id);
        await startAt(id, [...new Set(here.map((agent) => processOf(plan, agent)))]);
      }),
    );
    await stageHealthy(run, { index, begunMs }, deadline);
  }
}

/** Has its tunnels held, and waits until all of a release that was started is healthy. Throws CliError where something is late. */
export async function allHealthy(unwatched: HostsRun): Promise<void> {
  await using ends = new Ends(unwatched.machines);
  const run = { ...unwatched, ends };
  await holdTunnels(run, run.io.signal);
  const deadline = deadlineOf(run.plan);
  const begunMs = Date.now();
  await Promise.all([
    controlPlaneHealthy(run, deadline),
    ...run.plan.stages.map(async (_, index) => stageHealthy(run, { index, begunMs }, deadline)),
  ]);
}

/** Has the agents send their spans, as far as they and their hosts answer. */
export async function flushSpans(plan: Plan, signal: AbortSignal): Promise<void> {
  await Promise.allSettled(
    plan.agents.map(async ({ place, socket }) =>
      isHealthy(await reach(placeOf(plan, place), socket.port, signal), FLUSH_MS, { flush: true }),
    ),
  );
}

const FLUSH_MS = 1_000;
const LOOK_MS = 500;
const SHARED: readonly string[] = [CONTROL_PLANE, OFFLINE_MODEL];

function deadlineOf({ health }: Plan): number {
  return Date.now() + health.timeoutMs;
}

function machineOf({ machines }: HostsRun, place: string): Machine {
  const machine = machines.get(place);
  if (machine === undefined) throw new Error(`There is no machine ${place}`);
  return machine;
}

function agentsOf({ agents, stages }: Plan, index: number): PlannedAgent[] {
  return agents.filter(({ id }) => stages[index]?.includes(id) === true);
}

async function controlPlaneHealthy(run: Watched, deadline: number): Promise<void> {
  const { place } = run.plan.controlPlane;
  await healthy(run, { place, name: CONTROL_PLANE, what: "The control plane", port: run.controlPlanePort }, deadline);
}

async function stageHealthy(
  run: Watched,
  { index, begunMs }: { readonly index: number; readonly begunMs: number },
  deadline: number,
): Promise<void> {
  await Promise.all(
    agentsOf(run.plan, index).map(async (agent) => {
      const name = processOf(run.plan, agent);
      const listener = { place: agent.place, name, what: `The agent ${agent.id}`, port: agent.socket.port };
      const attributes = {
        [GEN_AI.operation]: OPERATION.createAgent,
        [GEN_AI.agentName]: agent.id,
        [TROUPE.process]: name,
        [TROUPE.stage]: index + 1,
      };
      const wait = async ({ context }: DeploySpan) => healthy(run, listener, deadline, formatTraceparent(context));
      await run.span.within(SPAN.startAgent(agent.id), attributes, wait, begunMs);
    }),
  );
}

interface Listener {
  readonly place: string;
  /** Of its process. */
  readonly name: string;
  readonly what: string;
  readonly port: number;
}

async function healthy(
  run: Watched,
  { place, name, what, port }: Listener,
  deadline: number,
  traceparent?: string,
): Promise<void> {
  const { plan, io } = run;
  const machine = machineOf(run, place);
  const url = await reach(placeOf(plan, place), port, io.signal);
  const wait = {
    ...plan.health,
    timeoutMs: Math.max(0, deadline - Date.now()),
    ended: run.ends.of(place, name),
    signal: io.signal,
    ...(traceparent === undefined ? {} : { traceparent }),
  };
  const health = await waitUntilHealthy(url, wait);
  if (health === "healthy") return;
  const [own] = await machine.processes([name]);
  const why =
    health === "late"
      ? `${what} on ${place} was not healthy within ${plan.health.timeoutMs / 1000} s.`
      : `${what} on ${place} did not start: ${own?.lastEnd?.reason ?? "its process has ended"}.`;
  const last = (await machine.logs(LAST_LINES)).filter(([process]) => process === name).map(([, line]) => line);
  throw new CliError("failed", why, last.length === 0 ? "" : `The end of its log:\n${last.join("\n")}`);
}

const LAST_LINES = 5;

interface Watched extends HostsRun {
  readonly ends: Ends;
}

/** Notices the ends of processes: each machine is asked for all of its own at a time. */
class Ends implements AsyncDisposable {
  readonly #ended = new Map<string, Map<string, AbortController>>();
  readonly #over = new AbortController();
  readonly #watching: Promise<unknown>;

  constructor(machines: Machines) {
    this.#watching = Promise.all([...machines.values()].map(async (machine) => this.#watch(machine)));
  }

  /** Aborts when this process ends before it was healthy. */
  of(place: string, name: string): AbortSignal {
    const here = this.#ended.get(place) ?? new Map<string, AbortController>();
    this.#ended.set(place, here);
    const ended = here.get(name) ?? new AbortController();
    here.set(name, ended);
    return ended.signal;
  }

  async #watch(machine: Machine): Promise<void> {
    const over = this.#over.signal;
    while (!over.aborted) {
      await delay(LOOK_MS, undefined, { signal: over }).catch(() => undefined);
      const here = this.#ended.get(machine.id);
      if (over.aborted || here === undefined) continue;
      const all = await machine.processes([...here.keys()]).catch(() => []);
      for (const { name, state } of all) if (state === "dead" || state === "failed") here.get(name)?.abort();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#watching;
  }
}
