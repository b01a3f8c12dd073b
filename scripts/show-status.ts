// A deployment's status in words and columns.
import { table } from "./io.ts";
import { oneLine } from "./terminal-text.ts";
import type { JobStatus } from "./targets/target.ts";

export function describeStatus(status: JobStatus): string {
  const pid = status.pid === null ? "" : `, pid ${status.pid}`;
  const registry =
    status.state !== "stopped" && status.controlPlane === null
      ? "\nThe control plane does not run, so agents cannot find each other."
      : "";
  const rows = status.agents.map(({ id, name, url, state, lastHeartbeat }) => [
    `  ${id}`,
    state,
    url,
    oneLine(name),
    ago(lastHeartbeat),
  ]);
  return `${status.job} is ${status.state} (${status.target}${pid})${registry}\n${table(rows)}`;
}

function ago(moment: string | null): string {
  if (moment === null) return "";
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(moment)) / 1000));
  return `heard ${seconds} s ago`;
}
