// Starts the processes of a release, stage by stage, and stops them.
import { mkdir } from "node:fs/promises";

import type { Plan, PlannedAgent } from "#jobs/plan/plan-shape.ts";
import { GEN_AI, OPERATION, SPAN, TROUPE } from "#shared/tracing/names.ts";
import { formatTraceparent, type TraceContext } from "#shared/tracing/trace-context.ts";

import { writeFileAtomically } from "../../project/atomic-file.ts";
import { CliError } from "../../terminal/cli-error.ts";
import type { Io } from "../../terminal/io.ts";
import { foldersOf, renderConfig } from "./processes/capnp.ts";
import type { ControlPlane } from "./control-plane/control-plane.ts";
import { findDamaged, setAside } from "./state/damaged.ts";
import type { DeploySpan } from "./deploy-trace.ts";
import { isHealthy, waitUntilHealthy } from "./processes/health.ts";
import { configOf, type JobProcess, onLoopback, processesOf } from "./processes/job-config.ts";
import type { JobLayout } from "./state/layout.ts";
import { jobProcesses, runningProcesses } from "./processes/processes.ts";
import { httpsPair, modulePath } from "./state/release.ts";
import { secretValues, updateJobSecrets } from "./state/secrets.ts";
import { untilFree } from "./processes/ports.ts";
import type { JobState } from "./state/state.ts";
import { endedError, endSupervised, machineFolder, markHealthy, startSupervised } from "./processes/supervisor.ts";
import type { Started } from "./processes/workerd.ts";

export interface Run {
  readonly layout: JobLayout;
  readonly plan: Plan;
  readonly release: number;
  readonly controlPlane: ControlPlane;
  readonly io: Io;
  /** Span of the deployment's stage in which the processes start. */
  readonly span: DeploySpan;
}

/**
 * Starts every process of the plan and waits until each agent is healthy, in the order of the plan's stages.
 * Where one is late, ends them all and throws CliError.
 */
export async function startProcesses(run: Run): Promise<void> {
  const { plan, io } = run;
  const secrets = await updateJobSecrets(run.layout.secrets, plan.secrets);
  const issuer = { job: plan.job, controlPlane: run.controlPlane.secret };
  const started = new Map<string, Started>();
  const deadline = Date.now() + plan.health.timeoutMs;
  try {
    for (const [index, stage] of plan.stages.entries()) {
      const begunMs = Date.now();
      for (const process of processesOf(plan)) {
        const needed = process.agents.some((agent) => stage.includes(agent.id));
        if (!needed || started.has(process.name)) continue;
        started.set(process.name, await startProcess(run, process, secretValues(process.agents, secrets, issuer)));
      }
      await waitForStage(run, { number: index + 1, agents: stage, begunMs }, started, deadline);
    }
    for (const { name } of processesOf(plan)) await markHealthy(run.layout.process(name));
  } catch (error) {
    await endSupervised(processesOf(plan).map(({ name }) => run.layout.process(name)));
    throw io.signal.aborted ? new CliError("interrupted", "Interrupted; the job does not run.") : error;
  }
}

const FLUSH_MS = 1_000;
/** The system may free the ports of ended processes so much later. */
const FREE_MS = 2_000;

/** Ends the processes of a job after its agents have sent their spans. `state` is the job's stored state, if it can be read. */
export async function stopProcesses(home: string, job: string, state: JobState | undefined): Promise<void> {
  const ports = Object.values(state?.ports ?? {});
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const runs = (await runningProcesses(home, job)).length > 0;
  await endSupervised(await jobProcesses(home, job), async () => {
    // An agent that does not answer is ended too.
    if (runs) await Promise.all(urls.map(async (url) => isHealthy(url, FLUSH_MS, { flush: true })));
  });
  if (runs) await Promise.all(ports.map(async (port) => untilFree(port, FREE_MS)));
}

async function startProcess(run: Run, process: JobProcess, secrets: Record<string, string>): Promise<Started> {
  const { layout, plan, release, controlPlane } = run;
  const own = layout.process(process.name);
  const dataFolder = (agent: string): string => `${layout.data}/${agent}`;
  for (const { id } of process.agents) {
    await mkdir(dataFolder(id), { recursive: true });
    setAside(findDamaged(dataFolder(id)), run.io);
  }
  const config = configOf(plan, process, {
    controlPlane: () => onLoopback(controlPlane.port),
    model: onLoopback(controlPlane.modelPort),
    peer: (_, { socket }) => onLoopback(socket.port),
    sockets: process.agents.flatMap(({ id, https }) =>
      https === undefined ? [] : [{ name: id, address: `*:${https.port}`, tls: { keyPair: httpsPair(release, id) } }],
    ),
    module: (worker) => modulePath(release, worker),
    machine: machineFolder(own),
    dataFolder,
  });
  for (const folder of foldersOf(config)) await mkdir(folder, { recursive: true });
  await writeFileAtomically(own.config, renderConfig(config));
  const urls = process.agents.map(({ url }) => url);
  return startSupervised({ process: own, secrets, restart: plan.restart, urls });
}

/** Agents that become healthy side by side. */
interface Stage {
  /** From 1. */
  readonly number: number;
  readonly agents: readonly string[];
  /** When the first of their processes was started, in milliseconds since the epoch. */
  readonly begunMs: number;
}

async function waitForStage(
  run: Run,
  { number, agents, begunMs }: Stage,
  started: ReadonlyMap<string, Started>,
  deadline: number,
): Promise<void> {
  const { plan, span } = run;
  await Promise.all(
    processesOf(plan).flatMap((process) =>
      process.agents
        .filter((agent) => agents.includes(agent.id))
        .map(async (agent) => {
          const workerd = started.get(process.name);
          if (workerd === undefined) throw new Error(`No process was started for ${agent.id}`);
          const attributes = {
            [GEN_AI.operation]: OPERATION.createAgent,
            [GEN_AI.agentName]: agent.id,
            [TROUPE.process]: process.name,
            [TROUPE.stage]: number,
          };
          await span.within(
            SPAN.startAgent(agent.id),
            attributes,
            async ({ context }) => waitForAgent(run, agent, { process, workerd, deadline, context }),
            begunMs,
          );
        }),
    ),
  );
}

interface Start {
  readonly process: JobProcess;
  readonly workerd: Started;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  /** Parent of the agent's first spans. */
  readonly context: TraceContext;
}

async function waitForAgent(
  run: Run,
  agent: PlannedAgent,
  { process, workerd, deadline, context }: Start,
): Promise<void> {
  const { plan, layout, io } = run;
  const health = await waitUntilHealthy(agent.url, {
    ...plan.health,
    timeoutMs: Math.max(0, deadline - Date.now()),
    ended: workerd.ended,
    signal: io.signal,
    traceparent: formatTraceparent(context),
  });
  if (health === "ended") throw await endedError(layout.process(process.name));
  if (health === "late") {
    throw new CliError(
      "failed",
      `The agent ${agent.id} was not healthy within ${plan.health.timeoutMs / 1000} s (GET ${agent.url}/health).`,
      `Its log: ${layout.process(process.name).log}`,
    );
  }
}
