// Agents of others in a job: how they differ from the job's own.

/** Agents that run in this deployment. */
export function ownAgents<Entry extends { readonly remote?: string | undefined }>(agents: readonly Entry[]): Entry[] {
  return agents.filter(({ remote }) => remote === undefined);
}

/** Agents that run elsewhere, with the address of each. */
export function remoteAgents<Entry extends { readonly remote?: string | undefined }>(
  agents: readonly Entry[],
): (Entry & { readonly remote: string })[] {
  return agents.flatMap((agent) => (agent.remote === undefined ? [] : [{ ...agent, remote: agent.remote }]));
}

/** Whether an agent of others may be at this address: encrypted, or on this machine. */
export function isRemoteAddress(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "" || url.hash !== "") return false;
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url));
}

export function isLoopback({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
