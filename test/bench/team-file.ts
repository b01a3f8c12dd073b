// A job file for deployments that are measured.

const WORKERS = ["coordinator", "searcher", "summarizer", "fact_checker"];

/** The research assistant's four agents, and as many more as are wanted, which nobody asks. `maxTurns`: a setting of one agent. */
export function teamFile(
  name: string,
  { agents, maxTurns, rest = "" }: { readonly agents: number; readonly maxTurns: number; readonly rest?: string },
): string {
  const extra = Array.from({ length: agents - WORKERS.length }, (_, n) => ({
    id: `extra_${n}`,
    worker: WORKERS[1 + (n % 3)]?.replace("_", "-") ?? "",
  }));
  const spokes = [...WORKERS.slice(1), ...extra.map(({ id }) => id)];
  return `name: ${name}
agents:
${WORKERS.map((id) => `  - { id: ${id}${id === "summarizer" ? `, budget: { max_turns: ${maxTurns} }` : ""} }`).join("\n")}
${extra.map(({ id, worker }) => `  - { id: ${id}, worker: ${worker} }`).join("\n")}
topology: { type: hub-spoke, hub: coordinator, spokes: [${spokes.join(", ")}] }
${rest}
`;
}
