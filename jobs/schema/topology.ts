// Topologies as directed edges of delegation, and what follows from the edges: cycles, the entry point, the order of
// start. Knows nothing of files or Workers.
import { ownAgents } from "./remote.ts";
import type { Job, Topology } from "./schema.ts";

export interface Edge {
  readonly from: string;
  readonly to: string;
}

/** The edges of a job, as edgesOf. In a mesh, nobody asks in the name of a remote agent. */
export function edgesOfJob({ agents, topology }: Pick<Job, "agents" | "topology">): Edge[] {
  const own = new Set(ownAgents(agents).map(({ id }) => id));
  const edges = edgesOf(
    topology,
    agents.map(({ id }) => id),
  );
  return topology.type === "mesh" ? edges.filter(({ from }) => own.has(from)) : edges;
}

/**
 * Edges from each agent to those that it may delegate to, each once, in the order of the file. Only a dag can hold an
 * edge from an agent to itself.
 */
export function edgesOf(topology: Topology, agents: readonly string[]): Edge[] {
  switch (topology.type) {
    case "hub-spoke":
      return distinct(between([topology.hub], topology.spokes));
    case "pipeline":
      return layered(topology.stages.map((stage) => (typeof stage === "string" ? [stage] : stage)));
    case "dag":
      return distinct(topology.connections.map(({ from, to }) => ({ from, to })));
    case "mesh": {
      const members = topology.agents ?? agents;
      return distinct(between(members, members));
    }
    case "hierarchical":
      return hierarchy(topology.root, topology.levels);
    case "dynamic":
      return [];
  }
}

/** The agent that takes the questions: the written one, else the one that the topology implies; undefined without either. */
export function entryPointOf(job: Pick<Job, "agents" | "topology" | "execution">): string | undefined {
  if (job.execution.entry_point !== undefined) return job.execution.entry_point;
  const ids = ownAgents(job.agents).map((agent) => agent.id);
  if (ids.length === 1) return ids[0];
  const { topology } = job;
  switch (topology.type) {
    case "hub-spoke":
      return topology.hub;
    case "hierarchical":
      return topology.root;
    case "pipeline":
      return only([topology.stages[0] ?? []].flat());
    case "dag": {
      const targets = new Set(topology.connections.map(({ to }) => to));
      const sources = topology.connections.map(({ from }) => from).filter((id) => !targets.has(id));
      return only([...new Set(sources)]);
    }
    case "mesh":
    case "dynamic":
      return undefined;
  }
}

/** The agents of one cycle, the first one again at the end; undefined without a cycle. */
export function findCycle(edges: readonly Edge[]): string[] | undefined {
  const next = callees(edges);
  const done = new Set<string>();
  for (const start of next.keys()) {
    const path: string[] = [];
    // An explicit stack of iterators: a file of a million edges must not overflow the call stack.
    const stack: Iterator<string>[] = [[start][Symbol.iterator]()];
    while (stack.length > 0) {
      const step = stack.at(-1)?.next();
      if (step === undefined || step.done === true) {
        stack.pop();
        const left = path.pop();
        if (left !== undefined) done.add(left);
        continue;
      }
      const seenAt = path.indexOf(step.value);
      if (seenAt >= 0) return [...path.slice(seenAt), step.value];
      if (done.has(step.value)) continue;
      path.push(step.value);
      stack.push((next.get(step.value) ?? [])[Symbol.iterator]());
    }
  }
  return undefined;
}

/** Groups of agents that can start together, callees first; members of a cycle share the last group. */
export function startOrder(agents: readonly string[], edges: readonly Edge[]): string[][] {
  const next = callees(edges);
  const started = new Set<string>();
  const groups: string[][] = [];
  let waiting = [...agents];
  while (waiting.length > 0) {
    const ready = waiting.filter((id) => (next.get(id) ?? []).every((callee) => started.has(callee)));
    const group = ready.length > 0 ? ready : waiting;
    for (const id of group) started.add(id);
    groups.push(group);
    waiting = waiting.filter((id) => !started.has(id));
  }
  return groups;
}

function hierarchy(root: string, levels: readonly (string[] | Record<string, string[]>)[]): Edge[] {
  const edges: Edge[] = [];
  let above = [root];
  for (const level of levels) {
    if (Array.isArray(level)) {
      edges.push(...between(above, level));
      above = level;
    } else {
      for (const [parent, children] of Object.entries(level)) edges.push(...between([parent], children));
      above = Object.values(level).flat();
    }
  }
  return distinct(edges);
}

function layered(layers: readonly (readonly string[])[]): Edge[] {
  return distinct(layers.flatMap((layer, index) => between(layer, layers[index + 1] ?? [])));
}

function between(from: readonly string[], to: readonly string[]): Edge[] {
  return from.flatMap((a) => to.filter((b) => b !== a).map((b) => ({ from: a, to: b })));
}

function distinct(edges: readonly Edge[]): Edge[] {
  return [...new Map(edges.map((edge) => [`${edge.from} ${edge.to}`, edge])).values()];
}

function callees(edges: readonly Edge[]): Map<string, string[]> {
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) {
    const known = next.get(from);
    if (known === undefined) next.set(from, [to]);
    else known.push(to);
  }
  return next;
}

function only(ids: readonly string[]): string | undefined {
  return ids.length === 1 ? ids[0] : undefined;
}
