// Which tools may run. By name only as the job file says; a tool is never filtered out by a guess about its name.

export interface Permissions {
  /** null: every tool of the agent. */
  readonly allow: readonly string[] | null;
  /** Wins over allow. */
  readonly deny: readonly string[];
}

/** Why `tool` may not run, in words for the model; undefined when it may. */
export function refusal(permissions: Permissions, tool: string): string | undefined {
  if (permissions.deny.includes(tool)) return `The tool ${tool} is denied in this job.`;
  if (permissions.allow && !permissions.allow.includes(tool))
    return `The tool ${tool} is not on this job's allow list.`;
  return undefined;
}
