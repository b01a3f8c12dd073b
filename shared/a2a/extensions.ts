// The A2A extensions of Troupe's agents (A2A 1.0, section 4.6). docs/extensions has a page for each.
import type { AgentExtension } from "@a2a-js/sdk";

export const EXTENSION = {
  approvals: "urn:troupe:a2a:approvals:1",
  usage: "urn:troupe:a2a:usage:1",
  traces: "urn:troupe:a2a:traces:1",
  profile: "urn:troupe:a2a:profile:1",
} as const;

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  [EXTENSION.approvals]:
    "A task that waits for approvals says so in a data part of its status, and takes answers as a data part.",
  [EXTENSION.usage]: "A task's metadata holds the tokens that it used, and how its turn ended.",
  [EXTENSION.traces]: "A task's metadata holds the id of its OpenTelemetry trace.",
};

/** What an agent declares. It works with clients that know none of these. */
export function declaredExtensions({ hasTraces }: { readonly hasTraces: boolean }): AgentExtension[] {
  return Object.entries(DESCRIPTIONS)
    .map(([uri, description]) => ({ uri, description, required: false, params: undefined }))
    .filter(({ uri }) => hasTraces || uri !== EXTENSION.traces);
}

/** Those of a request's `A2A-Extensions` that the agent declares, as its response names them (A2A 1.0, section 3.2.6). */
export function activated(header: string, declared: readonly AgentExtension[]): string {
  const wanted = new Set(header.split(",").map((uri) => uri.trim()));
  return declared
    .map(({ uri }) => uri)
    .filter((uri) => wanted.has(uri))
    .join(", ");
}
