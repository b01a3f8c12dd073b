// What a deployment would change, in words and columns.
import type { AgentChange, Changes } from "#jobs/plan/changes.ts";

import { table } from "../terminal/io.ts";
import type { DeployedVersion } from "./deployed-version.ts";

/** The section of `troupe plan`. `deployed`: what the changes are to; undefined where nothing is. */
export function describeChanges(
  { agents, job, controlPlaneLeaves }: Changes,
  deployed: Pick<DeployedVersion, "state"> | undefined,
): string {
  const rows = agents.map((agent) => [`  ${agent.id}`, agent.change, wordsOn(agent)]);
  const lines = [
    `Changes (${since(deployed)})`,
    ...table(rows).split("\n"),
    ...(job.length === 0 ? [] : [`  The job differs in: ${job.join(", ")}`]),
    ...(controlPlaneLeaves === undefined
      ? []
      : [`  The control plane leaves ${controlPlaneLeaves}: its traces, budgets and keys stay there`]),
  ];
  return lines.map((line) => line.trimEnd()).join("\n");
}

function since(deployed: Pick<DeployedVersion, "state"> | undefined): string {
  if (deployed === undefined) return "nothing is deployed";
  const { release, deployedAt, stoppedAt } = deployed.state;
  return `to release ${release} of ${deployedAt}${stoppedAt === null ? "" : ", which is stopped"}`;
}

function wordsOn({ differs, codeIsUnknown, leaves }: AgentChange): string {
  const words = [
    differs.join(", "),
    codeIsUnknown === true ? "its code is not compared" : "",
    leaves === undefined ? "" : `its sessions stay on ${leaves}`,
  ];
  return words.filter((part) => part !== "").join("; ");
}
