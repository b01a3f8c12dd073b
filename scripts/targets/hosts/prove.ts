// Proves a release before anything that runs is touched: on its own machines, with empty data and on other ports.
import type { Plan } from "#jobs/plan/plan-shape.ts";
import type { Io } from "../../terminal/io.ts";
import type { DeploySpan } from "../local/deploy-trace.ts";
import { checkEdges } from "./check-edges.ts";
import { controlPlaneAt } from "./job-machines.ts";
import { type Cargo, sendTo } from "./release/cargo.ts";
import { type Machines, startStages } from "./run.ts";
import { forwardsOf } from "./tunnels/forwards.ts";
import { endTunnels, type Held, holdTunnels } from "./tunnels/holder.ts";

export interface Proof {
  /** As it will run, but for the ports. */
  readonly plan: Plan;
  readonly controlPlanePort: number;
  readonly machines: Machines;
  readonly cargo: Cargo;
  readonly io: Io;
  readonly span: DeploySpan;
}

/** Throws CliError where an agent does not start, does not register or does not reach a neighbour. Nothing of the trial stays. */
export async function prove({ plan, controlPlanePort, machines: real, cargo, io, span }: Proof): Promise<void> {
  const machines = trialOf(real);
  const numbered = { plan, release: 1, controlPlanePort };
  // An earlier trial may have been killed.
  await clear(plan.job, machines);
  try {
    await Promise.all(
      [...machines.values()].map(async (machine) =>
        machine.borrowKeys().then(async () => sendTo(machine, numbered, cargo)),
      ),
    );
    await startStages({ ...numbered, machines, io, span });
    const controlPlane = await controlPlaneAt(plan, controlPlanePort, cargo.controlPlaneSecret, io.signal);
    await checkEdges({ plan, controlPlane, secrets: cargo.secrets, signal: io.signal });
  } finally {
    // A host that is gone removes it with the next trial.
    await clear(plan.job, machines).catch(() => {});
  }
}

/** Has a trial's tunnels held for a moment, before anything is sent. Throws CliError where a host takes none. */
export async function proveTunnels({ machines, ...held }: Held, io: Io): Promise<void> {
  if (forwardsOf(held.plan, held.controlPlanePort).length === 0) return;
  const trial = trialOf(machines);
  await clear(held.plan.job, trial);
  try {
    await holdTunnels({ ...held, machines: trial }, io.signal);
  } finally {
    await clear(held.plan.job, trial).catch(() => {});
  }
}

/** Removes a trial from all machines that answer. Throws CliError where one does not. */
async function clear(job: string, trial: Machines): Promise<void> {
  await endTunnels(job, { proof: true });
  const all = [...trial.values()].map(async (machine) => machine.stop().then(async () => machine.remove()));
  await Promise.allSettled(all);
  await Promise.all(all);
}

/** The same machines, with folders of the trial. */
function trialOf(machines: Machines): Machines {
  return new Map([...machines].map(([id, machine]) => [id, machine.proof()]));
}
