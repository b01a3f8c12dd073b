// The flags that place a job.
export const PLACEMENT_OPTIONS = {
  target: {
    type: "string",
    value: "TARGET",
    description: "Where all of it runs: local, cloudflare, ssh://[user@]host[:port], or a group of the host file",
  },
  hosts: { type: "string", value: "FILE", description: "Host file: hosts to deal the agents to, and groups of them" },
  namespace: {
    type: "string",
    value: "NAME",
    description: "On Cloudflare: begins the name of each Worker, and has a control plane of its own (default troupe)",
  },
} as const;
