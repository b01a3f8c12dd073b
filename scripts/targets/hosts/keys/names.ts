// Names in the certificates of a job's listeners. They are compared and never looked up.

/** The name of an agent's certificate. No two agents share one, since agents' ids hold no `-`. */
export function agentCertificateName(job: string, agent: string): string {
  return `${agent.replaceAll("_", "-")}.agents.${job}.troupe`;
}

/** The name of the control plane's certificate. No agent can have it. */
export function controlPlaneCertificateName(job: string): string {
  return `control-plane.${job}.troupe`;
}
